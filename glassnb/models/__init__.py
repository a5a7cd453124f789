"""The second floor: where structures come from."""

from glassnb.core.files import read, write
from glassnb.models.crystals import crystal, crystals

__all__ = ["crystal", "crystals", "read", "write"]
