"""What a run leaves behind: files written safely, tables and pictures."""

from dtpinn.output.figures import save_figure
from dtpinn.output.files import replacing, write_csv, write_json, write_torch
from dtpinn.output.pictures import picture_run, shown_times
from dtpinn.output.tables import format_table

__all__ = [
    "format_table",
    "picture_run",
    "replacing",
    "save_figure",
    "shown_times",
    "write_csv",
    "write_json",
    "write_torch",
]
