; Sfumato from Script-Fu in GIMP 3.x: arguments by name; what is left out has its default. The procedure browser (Help > Procedure Browser,
; "sfumato") lists names and ranges. Each call returns the new layer and its image.
; Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later

; Removes what an ellipse covers, with the model in the box. Saves picture and layers as XCF.
(define (sfumato-example-remove in out x y width height)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (car (gimp-image-get-layers image))))
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE x y width height)
    (plug-in-sfumato-remove #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector (vector-ref layers 0)) #:grow 10 #:seed 7)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Fills a rectangle with what the prompt says (needs a model with a text encoder, for instance of Stable Diffusion 1.5).
(define (sfumato-example-fill in out prompt x y width height)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (car (gimp-image-get-layers image))))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y width height)
    (gimp-selection-feather image 8)
    (plug-in-sfumato-fill #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector (vector-ref layers 0)) #:prompt prompt)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Enlarges twice; the result is an image of its own.
(define (sfumato-example-enlarge in out)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (car (gimp-image-get-layers image)))
         (result (plug-in-sfumato-enlarge #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector (vector-ref layers 0)) #:scale 2
                                          #:seed 7)))
    (gimp-file-save RUN-NONINTERACTIVE (cadr result) out -1)
    (gimp-image-delete (cadr result))
    (gimp-image-delete image)))

; Enlarges the image with all of its layers, masks, channels, paths, guides and the selection; saves it as XCF.
(define (sfumato-example-enlarge-image in out)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (car (gimp-image-get-layers image))))
    (plug-in-sfumato-enlarge #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector (vector-ref layers 0)) #:scale 2 #:seed 7
                             #:whole-image TRUE #:new-image FALSE)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Removes what an ellipse covers, and takes nothing from a rectangle: the kept area stays in the image as a channel.
(define (sfumato-example-exclude in out x y width height ex ey ewidth eheight)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (vector (vector-ref (car (gimp-image-get-layers image)) 0))))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE ex ey ewidth eheight)
    (plug-in-sfumato-exclude #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers)
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE x y width height)
    (plug-in-sfumato-remove #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers #:seed 7)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; Edits by words (needs a model that edits, for instance InstructPix2Pix).
(define (sfumato-example-edit in out instruction)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE in)))
         (layers (vector (vector-ref (car (gimp-image-get-layers image)) 0))))
    (plug-in-sfumato-edit #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers #:prompt instruction)
    (gimp-file-save RUN-NONINTERACTIVE image out -1)
    (gimp-image-delete image)))

; A texture that continues at its other side, from words; no image is needed to begin with.
(define (sfumato-example-texture out prompt)
  (let ((result (plug-in-sfumato-seamless #:run-mode RUN-NONINTERACTIVE #:prompt prompt #:width 512 #:height 512 #:new-image TRUE)))
    (gimp-file-save RUN-NONINTERACTIVE (cadr result) out -1)
    (gimp-image-delete (cadr result))))

; All pictures of a folder: (sfumato-batch-enlarge "/pictures/*.jpg" "/larger/")
(define (sfumato-batch-enlarge pattern folder)
  (let loop ((files (car (file-glob #:pattern pattern #:filename-encoding 1))))
    (if (pair? files)
        (let* ((in (car files))
               (parts (strbreakup in DIR-SEPARATOR))
               (name (car (strbreakup (car (reverse parts)) "."))))
          (sfumato-example-enlarge in (string-append folder name ".png"))
          (loop (cdr files))))))
