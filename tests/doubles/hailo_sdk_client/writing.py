"""What the double writes: HEFs without a program, for nothing was compiled, and members of a HAR."""

import io
import json
import tarfile

import hef_writer

ARCHS = {"hailo8": 1, "hailo8r": 2, "hailo8l": 3}
STATE = "double.json"


def hef_of(name, edges, arch, version, layout=2):
    """A HEF of this layout's number; an edge is its name, its [H, W, C], whether it goes out, scale and zero point."""
    written = [
        hef_writer.edge(edge, tuple(shape), output=output, scale=scale, zp=zero_point)
        for edge, shape, output, scale, zero_point in edges
    ]
    group = hef_writer.group(name, [hef_writer.context(0, written)])
    return hef_writer.sealed(layout, hef_writer.proto([group], arch=arch, sdk=version))


def add_members(path, members, mode="a"):
    """Puts members, bytes or what json takes, into the archive."""
    with tarfile.open(path, mode) as archive:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def members_of(path):
    """Member -> its bytes."""
    with tarfile.open(path) as archive:
        return {each.name: archive.extractfile(each).read() for each in archive.getmembers()}
