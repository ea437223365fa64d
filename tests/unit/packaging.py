#!/usr/bin/env python3
"""The packages' descriptions agree with the build: names, versions, options and paths. TAP.
packaging.py TOP VERSION"""

# Copyright (C) 2026 The Sfumato authors. SPDX-License-Identifier: GPL-3.0-or-later
import pathlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as xml

from tap import case, end

TOP, VERSION = pathlib.Path(sys.argv[1]), sys.argv[2]
FLATPAK = TOP / "install/flatpak/org.gimp.GIMP.Plugin.Sfumato.yaml"
METAINFO = TOP / "install/metainfo/org.gimp.GIMP.Plugin.Sfumato.metainfo.xml"
manifest, component = FLATPAK.read_text(encoding="utf-8"), xml.parse(METAINFO).getroot()


def value(key):
    """Of a key of the manifest's top level or of build-options."""
    return re.search(rf"^ *{key}: '?([^'\n]*)'?$", manifest, re.M)[1]


def tool(*command):
    """Runs a checker; the reason to skip it if it is not installed."""
    if not shutil.which(command[0]):
        return f"no {command[0]}"
    r = subprocess.run(command, capture_output=True, text=True, check=False)
    assert r.returncode == 0, r.stdout + r.stderr
    return None


@case("every package has the version of meson.build")
def _():
    assert component.find("releases/release").get("version") == VERSION
    files = [TOP / "install/debian/changelog", TOP / "debian/changelog"]  # the latter while packages are built
    changelog = next(f for f in files if f.exists()).read_text(encoding="utf-8")
    assert re.match(r"sfumato \(([^-)]*)", changelog)[1] == VERSION


@case("the Flatpak is the component that the metadata describes")
def _():
    assert component.find("id").text == value("id") == FLATPAK.stem
    assert component.find("extends").text == value("runtime")


@case("the Flatpak's options are the build's")
def _():
    known = set(re.findall(r"^option\('(\w+)'", (TOP / "meson.options").read_text(encoding="utf-8"), re.M))
    module = manifest[manifest.index("name: sfumato") :]
    used = re.findall(r"-D([\w-]+)=", module)
    assert len(used) > 4 and set(used) <= known | {"werror"}, (used, known)  # that one is Meson's own


@case("the Flatpak installs where GIMP's extension point looks")
def _():
    name = value("id").rpartition(".")[2]
    assert value("prefix") == f"/app/extensions/{name}"
    assert value("libdir") == value("prefix") + "/lib"
    # The point merges the folders plug-ins/; GIMP wants a program in a folder of its own name.
    assert re.search(r"-Dplugindir=(\S+)", manifest)[1] == value("prefix") + "/plug-ins/sfumato"


@case("the Flatpak's other sources are pinned")
def _():
    for source in re.findall(r"type: git\n(.*?)(?=\n  - |\Z)", manifest, re.S):
        assert re.search(r"tag: \S+\n +commit: [0-9a-f]{40}\b", source), source
    folder = re.search(r"type: dir\n +path: (\S+)", manifest)[1]
    assert (FLATPAK.parent / folder).resolve() == TOP.resolve()


@case("flatpak-builder reads the manifest")
def _():
    return tool("flatpak-builder", "--show-manifest", str(FLATPAK))


@case("appstreamcli finds no fault")
def _():
    if not shutil.which("appstreamcli"):
        return "no appstreamcli"
    r = subprocess.run(
        ["appstreamcli", "validate", "--no-net", str(METAINFO)], capture_output=True, text=True, check=False
    )
    faults = [line for line in r.stdout.splitlines() if re.match(r" *[EW]:", line)]
    # Newer versions want a home page. The project has no public one yet.
    assert all(line.endswith("url-homepage-missing") for line in faults) and (faults or r.returncode == 0), r.stdout
    return None


end()
