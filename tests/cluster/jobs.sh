# shellcheck shell=bash
# What the tests of many workers share: jobs, a worker killed in the middle, and what must be there at the end.
# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
n_jobs=24
width=240 height=160

# make_jobs FOLDER: pictures, and jobs.jsonl that doubles them
make_jobs() {
    local i
    mkdir "$1"
    for i in $(seq $n_jobs); do
        printf 'P3 %d %d 255\n' $width $height >"$1/p$i.ppm"
        seq $((width * height * 3)) | awk -v i="$i" '{print int($1 * i / 7) % 256}' >>"$1/p$i.ppm"
        printf '{"task": "upscale", "in": "%s", "out": "%s", "scale": 2}\n' "$1/p$i.ppm" "$1/o$i.png" \
            >>"$1/jobs.jsonl"
    done
}

# kill_a_worker: the first one that holds a claim in this folder
kill_a_worker() {
    local claim victim
    for _ in $(seq 1200); do
        claim=$(find . -name "o*.claim" | head -1)
        victim=
        [ -z "$claim" ] || victim=$(awk '{print $2}' "$claim" 2>/dev/null) || true
        if [ -n "$victim" ] && kill -9 "$victim" 2>/dev/null; then
            echo "killed the worker $victim, which had $claim"
            return
        fi
        sleep 0.1
    done
    echo "FAILED: no worker was found to kill"
    return 1
}

# check_jobs LOG ...: each picture once, whole, and nothing else; the workers' own words count the same
check_jobs() {
    local made left said f
    made=$(find . -name "o*.png" | wc -l)
    left=$(find . -type f ! -name 'p*.ppm' ! -name 'o*.png' ! -name jobs.jsonl ! -name '*.log')
    said=$(grep -ho '[0-9]* done, ' "$@" | awk '{n += $1} END {print n}')
    if [ "$made" != $n_jobs ] || [ -n "$left" ]; then echo "FAILED: $made of $n_jobs, $left"; return 1; fi
    # A worker that is killed between the rename and its summary has done a job that no summary counts.
    [ "$said" -le $n_jobs ] || { echo "FAILED: the workers say $said jobs"; return 1; }
    for f in o*.png; do
        file "$f" | grep -q "$((width * 2)) x $((height * 2))" || { echo "FAILED: $f"; return 1; }
    done
    echo "all $n_jobs done, $said by workers that lived to the end"
}
