"""The floor of reading a file: the least program that gets the same out of it with the usual library.

Run by the benchmark as `python -m bench.plain_library KIND FILE`. No limits, no checks, no text in order: what anybody
would write first.
"""

import io
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

_SIDE_PX = 2_048


def _jpeg(path: Path) -> int:
    return _picture(path, "JPEG", quality=88)


def _png(path: Path) -> int:
    return _picture(path, "PNG")


def _picture(path: Path, form: str, **options: int) -> int:
    pillow = import_module("PIL.Image")
    out = io.BytesIO()
    with pillow.open(path) as image:
        image.thumbnail((_SIDE_PX, _SIDE_PX), pillow.Resampling.LANCZOS)
        image.save(out, form, **options)
    return len(out.getvalue())


def _pdf(path: Path) -> int:
    return sum(len(page.extract_text()) for page in import_module("pypdf").PdfReader(path).pages)


def _docx(path: Path) -> int:
    return sum(len(paragraph.text) for paragraph in import_module("docx").Document(str(path)).paragraphs)


def _xlsx(path: Path) -> int:
    book = import_module("openpyxl").load_workbook(path, read_only=True)
    rows = (row for sheet in book.worksheets for row in sheet.iter_rows(values_only=True))
    return sum(len(" | ".join(map(str, row))) for row in rows)


def _nothing(path: Path) -> int:
    return len(path.read_text())


_LIBRARIES: Mapping[str, Callable[[Path], int]] = {
    "jpeg": _jpeg,
    "png": _png,
    "pdf": _pdf,
    "docx": _docx,
    "xlsx": _xlsx,
    "nothing": _nothing,
}


if __name__ == "__main__":
    sys.exit(0 if _LIBRARIES[sys.argv[1]](Path(sys.argv[2])) else 1)
