"""Files of others, fetched once and checked."""

from __future__ import annotations

import os
import re
from pathlib import Path

__all__ = ["check_sha256", "download"]


def download(url: str, sha256: str, folder: str | os.PathLike[str] | None = None) -> Path:
    """Download a file once, and check that it is the right one.

    Parameters
    ----------
    url : str
        Where the file lies: http, https, ftp, or a DOI of Zenodo, Figshare or Dataverse as
        ``doi:10.5281/zenodo.123/file.dat``.
    sha256 : str
        Its SHA-256 checksum, 64 hexadecimal digits.
    folder : path-like, optional
        Where the file is kept; a folder for glassnb in the user's cache when omitted.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    ValueError
        If the checksum is not one, or not that of the file.
    OSError
        If the file cannot be reached and is not in the folder.
    """
    import pooch

    digits = check_sha256(sha256)
    name = url.split("?")[0].rstrip("/").rsplit("/", 1)[-1]
    path = pooch.retrieve(
        url, f"sha256:{digits}", fname=f"{digits[:8]}-{name}",
        path=folder or pooch.os_cache("glassnb"),
    )  # fmt: skip
    return Path(path)


def check_sha256(sha256: str) -> str:
    """Return the digits of a SHA-256 checksum, or say that it is none.

    Parameters
    ----------
    sha256 : str
        64 hexadecimal digits, with or without ``sha256:`` before them.

    Returns
    -------
    str
        The digits in small letters.

    Raises
    ------
    ValueError
        If it is not a checksum.
    """
    digits = str(sha256).removeprefix("sha256:").lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise ValueError(f"sha256={sha256!r}: must be the 64 hexadecimal digits of `sha256sum`")
    return digits
