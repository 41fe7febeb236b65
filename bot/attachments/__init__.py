"""One file a kind, one row here; to add one see docs/adding-a-file-kind.md.

Rows are tried in order, in the worker process; a module is imported only when its row recognised the file.
"""

from bot.attachments.kind import Kind
from bot.attachments.signs import html, image, plain_text, sound, starts_with, zip_with

_OFFICE = "application/vnd.openxmlformats-officedocument"

KINDS: tuple[Kind, ...] = (
    Kind(name="image", called="pictures", read="bot.attachments.images:read", recognise=image),
    Kind(
        name="pdf",
        called="PDF",
        read="bot.attachments.pdf:read",
        recognise=starts_with(b"%PDF-", "application/pdf"),
    ),
    Kind(name="audio", called="recordings", read="bot.attachments.audio:read", recognise=sound),
    Kind(
        name="docx",
        called="Word",
        read="bot.attachments.docx:read",
        recognise=zip_with("word/document.xml", f"{_OFFICE}.wordprocessingml.document"),
    ),
    Kind(
        name="xlsx",
        called="Excel",
        read="bot.attachments.xlsx:read",
        recognise=zip_with("xl/workbook.xml", f"{_OFFICE}.spreadsheetml.sheet"),
    ),
    Kind(
        name="pptx",
        called="PowerPoint",
        read="bot.attachments.pptx:read",
        recognise=zip_with("ppt/presentation.xml", f"{_OFFICE}.presentationml.presentation"),
    ),
    Kind(
        name="epub",
        called="EPUB",
        read="bot.attachments.epub:read",
        recognise=zip_with("META-INF/container.xml", "application/epub+zip"),
    ),
    Kind(name="html", called="web pages", read="bot.attachments.html:read", recognise=html),
    Kind(name="text", called="text", read="bot.attachments.text:read", recognise=plain_text),
)
