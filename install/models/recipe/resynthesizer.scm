; Fill the transparent holes of pictures by GIMP's Resynthesizer as its "Heal selection" does it: samples from a band of 50 pixels around
; the hole, 16 neighbours, 500 trys, sensitivity 0.117, outwards in random order. For GIMP 3 (gimp-plugin-registry of Debian sid; the package of
; Debian 12 does not hold the plug-in, whatever its description says). In the folder that `evaluate.py --inputs` wrote:
;
;   gimp-console --no-interface --batch-interpreter=plug-in-script-fu-eval -b '(begin (load "resynthesizer.scm") (heal-folder "inputs"))' --quit
;
; Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
(script-fu-use-v3)

(define (heal in out)
  (let* ((image (gimp-file-load RUN-NONINTERACTIVE in))
         (target (vector-ref (gimp-image-get-layers image) 0)))
    (gimp-image-select-item image CHANNEL-OP-REPLACE target)
    (gimp-selection-invert image)
    (gimp-layer-flatten target)
    (let* ((band-image (gimp-image-duplicate image))
           (hole (gimp-selection-save band-image))
           (corpus (vector-ref (gimp-image-get-layers band-image) 0)))
      (gimp-selection-grow band-image 50)
      (gimp-image-select-item band-image CHANNEL-OP-SUBTRACT hole)
      (plug-in-resynthesizer #:run-mode RUN-NONINTERACTIVE #:image image #:drawables (vector target) #:vtile 0 #:htile 0 #:use-context 1
                             #:corpus corpus #:inmask -1 #:outmask -1 #:map-weight 0.0 #:autism 0.117 #:neighbourhood 16 #:trys 500)
      (gimp-selection-none image)
      (gimp-file-save RUN-NONINTERACTIVE image out)
      (gimp-image-delete band-image)
      (gimp-image-delete image))))

(define (heal-folder folder)
  (for-each
    (lambda (name)
      (let ((out (string-append (substring name 0 (- (string-length name) 4)) ".resynthesizer.png")))
        (if (and (not (string=? (substring name (- (string-length name) 18) (string-length name)) ".resynthesizer.png"))
                 (not (file-exists? out)))
            (begin (display name) (newline) (heal name out)))))
    (file-glob (string-append folder DIR-SEPARATOR "*.png") 1)))
