; Sfumato from Script-Fu in GIMP 3.x. Arguments have names; those that you leave out take their defaults. Help >
; Procedure Browser (search for "sfumato") lists names and ranges. Each call returns the new layer and its image.
; Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later

; Removes what an ellipse covers, with the included model. Saves the image with its layers as XCF.
(define (sfumato-example-remove in out x y width height)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (car (gimp-image-get-layers image))))
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE x y width height)
    (plug-in-sfumato-remove #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector (vector-ref layers 0))
      #:grow 10 #:seed 7)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Fills a rectangle with what the prompt describes (needs a model that understands prompts, for instance Stable
; Diffusion 1.5).
(define (sfumato-example-fill in out prompt x y width height)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (car (gimp-image-get-layers image))))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y width height)
    (gimp-selection-feather image 8)
    (plug-in-sfumato-fill #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector (vector-ref layers 0))
      #:prompt prompt)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Doubles the size of a picture; the result is a new image.
(define (sfumato-example-enlarge in out)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (car (gimp-image-get-layers image)))
         (result (plug-in-sfumato-enlarge #:run-mode RUN-NONINTERACTIVE #:image image
                   #:drawables (vector (vector-ref layers 0)) #:scale 2 #:seed 7)))
    (gimp-file-save RUN-NONINTERACTIVE (cadr result) out -1)
    (gimp-image-delete (cadr result))
    (gimp-image-delete image)))

; Doubles the whole image with its layers, masks, channels, paths, guides and selection. Saves it as XCF.
(define (sfumato-example-enlarge-image in out)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (car (gimp-image-get-layers image))))
    (plug-in-sfumato-enlarge #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector (vector-ref layers 0))
      #:scale 2 #:seed 7 #:whole-image TRUE #:new-image FALSE)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Removes what an ellipse covers and copies nothing from a rectangle, which stays in the image as a channel.
(define (sfumato-example-exclude in out x y width height ex ey ewidth eheight)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (vector (vector-ref (car (gimp-image-get-layers image)) 0))))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE ex ey ewidth eheight)
    (plug-in-sfumato-exclude #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers)
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE x y width height)
    (plug-in-sfumato-remove #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers #:seed 7)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Edits by an instruction (needs a model for editing, for instance InstructPix2Pix).
(define (sfumato-example-edit in out instruction)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (vector (vector-ref (car (gimp-image-get-layers image)) 0))))
    (plug-in-sfumato-edit #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers #:prompt instruction)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Makes a texture that tiles, from words. It needs no open image.
(define (sfumato-example-texture out prompt)
  (let ((result (plug-in-sfumato-seamless #:run-mode RUN-NONINTERACTIVE #:prompt prompt #:width 512 #:height 512
                  #:new-image TRUE)))
    (gimp-file-save RUN-NONINTERACTIVE (cadr result) out -1)
    (gimp-image-delete (cadr result))))

; Enlarges all pictures of a folder: (sfumato-batch-enlarge "/pictures/*.jpg" "/larger/")
(define (sfumato-batch-enlarge pattern folder)
  (let loop ((files (car (file-glob #:pattern pattern #:filename-encoding 1))))
    (if (pair? files)
        (let* ((in (car files))
               (parts (strbreakup in DIR-SEPARATOR))
               (name (car (strbreakup (car (reverse parts)) "."))))
          (sfumato-example-enlarge in (string-append folder name ".png"))
          (loop (cdr files))))))
