; Sfumato from Script-Fu in GIMP 2.10. Arguments have fixed positions; Help > Procedure Browser (search for "sfumato")
; lists them. -1 or "" leaves a value to the model. The last string takes all other values as "name=value ...". Each
; call returns the new layer and its image.
; Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later

; Removes what an ellipse covers, with the included model. Saves the image with its layers as XCF.
(define (sfumato-example-remove in out x y width height)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in in)))
         (layer (car (gimp-image-get-active-layer image))))
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE x y width height)
    ; model steps seed merged mask options
    (plug-in-sfumato-remove RUN-NONINTERACTIVE image layer
      "" 0 7 FALSE FALSE "grow=10" )
    (gimp-file-save RUN-NONINTERACTIVE image (car (gimp-image-get-active-drawable image)) out out)
    (gimp-image-delete image)))

; Fills a rectangle with what the prompt describes (needs a model that understands prompts, for instance Stable
; Diffusion 1.5).
(define (sfumato-example-fill in out prompt x y width height)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in in)))
         (layer (car (gimp-image-get-active-layer image))))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y width height)
    (gimp-selection-feather image 8)
    ; prompt negative style model strength steps guidance seed count merged mask options
    (plug-in-sfumato-fill RUN-NONINTERACTIVE image layer
      prompt "" "none" "" -1 0 -1 -1 1 FALSE FALSE "")
    (gimp-file-save RUN-NONINTERACTIVE image (car (gimp-image-get-active-drawable image)) out out)
    (gimp-image-delete image)))

; Doubles the size of a picture; the result is a new image.
(define (sfumato-example-enlarge in out)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in in)))
         (layer (car (gimp-image-get-active-layer image)))
         ; prompt neg style model strength steps guidance seed scale merged new options
         (result (plug-in-sfumato-enlarge RUN-NONINTERACTIVE image layer
                   "" "" "none" "" -1 0 -1 7 2 FALSE TRUE "")))
    (gimp-file-save RUN-NONINTERACTIVE (cadr result) (car result) out out)
    (gimp-image-delete (cadr result))
    (gimp-image-delete image)))

; Doubles the whole image with its layers, masks, channels, paths, guides and selection. Saves it as XCF.
(define (sfumato-example-enlarge-image in out)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in in)))
         (layer (car (gimp-image-get-active-layer image))))
    ; prompt neg style model strength steps guidance seed scale merged new options
    (plug-in-sfumato-enlarge RUN-NONINTERACTIVE image layer
      "" "" "none" "" -1 0 -1 7 2 FALSE FALSE "whole-image=true")
    (gimp-file-save RUN-NONINTERACTIVE image (car (gimp-image-get-active-drawable image)) out out)
    (gimp-image-delete image)))

; Removes what an ellipse covers and copies nothing from a rectangle, which stays in the image as a channel.
(define (sfumato-example-exclude in out x y width height ex ey ewidth eheight)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in in)))
         (layer (car (gimp-image-get-active-layer image))))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE ex ey ewidth eheight)
    (plug-in-sfumato-exclude RUN-NONINTERACTIVE image)
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE x y width height)
    (plug-in-sfumato-remove RUN-NONINTERACTIVE image layer "" 0 7 FALSE FALSE "")
    (gimp-file-save RUN-NONINTERACTIVE image (car (gimp-image-get-active-drawable image)) out out)
    (gimp-image-delete image)))

; Edits by an instruction (needs a model for editing, for instance InstructPix2Pix).
(define (sfumato-example-edit in out instruction)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in in)))
         (layer (car (gimp-image-get-active-layer image))))
    ; prompt negative style model steps guidance image-guidance seed count merged options
    (plug-in-sfumato-edit RUN-NONINTERACTIVE image layer
      instruction "" "none" "" 0 -1 -1 -1 1 FALSE "")
    (gimp-file-save RUN-NONINTERACTIVE image (car (gimp-image-get-active-drawable image)) out out)
    (gimp-image-delete image)))

; Makes a texture that tiles, from words. It needs no open image.
(define (sfumato-example-texture out prompt)
  ; prompt negative style model steps guidance seed count width height new options
  (let ((result (plug-in-sfumato-seamless-image RUN-NONINTERACTIVE
                  prompt "" "none" "" 0 -1 -1 1 512 512 TRUE "")))
    (gimp-file-save RUN-NONINTERACTIVE (cadr result) (car result) out out)
    (gimp-image-delete (cadr result))))

; Enlarges all pictures of a folder: (sfumato-batch-enlarge "/pictures/*.jpg" "/larger/")
(define (sfumato-batch-enlarge pattern folder)
  (let loop ((files (cadr (file-glob pattern 1))))
    (if (pair? files)
        (let* ((in (car files))
               (parts (strbreakup in DIR-SEPARATOR))
               (name (car (strbreakup (car (reverse parts)) "."))))
          (sfumato-example-enlarge in (string-append folder name ".png"))
          (loop (cdr files))))))
