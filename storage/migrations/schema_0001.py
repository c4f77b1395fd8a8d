"""The schema that revision 0001 makes.

It is the present one for as long as nothing has been released. The first change after a release freezes a copy of the
tables here and brings the change itself as revision 0002.
"""

from __future__ import annotations

from storage.tables import APPEND_ONLY, metadata

__all__ = ["APPEND_ONLY", "metadata"]
