"""Files whose rows are gone (models.FileRemoval): the obligation is a row, which goes once the file has gone."""

from uuid import UUID

from django.core.files.storage import default_storage

from chats.models import FileRemoval

AT_ONCE = 1000


def remove_file(removal_id: UUID) -> bool:
    """Harmless when called twice: a file that is not there any more is as gone as it has to be."""
    removal = FileRemoval.objects.filter(pk=removal_id).first()
    if removal is None:
        return False
    default_storage.delete(removal.path)
    FileRemoval.objects.filter(pk=removal_id).delete()
    return True


def sweep_removals() -> int:
    """What no task has removed; how many."""
    waiting = FileRemoval.objects.order_by("asked_at").values_list("pk", flat=True)
    return sum(map(remove_file, list(waiting[:AT_ONCE])))
