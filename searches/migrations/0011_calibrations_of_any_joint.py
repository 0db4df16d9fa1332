from typing import Any

from django.db import migrations, models


def gather(apps: Any, schema_editor: Any) -> None:
    for row in apps.get_model("searches", "Calibration").objects.iterator():
        row.constants = {
            term: {"lam": getattr(row, f"{term}_lam"), "std": getattr(row, f"{term}_std")}
            for term in ("landscape", "speed")
        }
        row.save(update_fields=["constants"])


class Migration(migrations.Migration):
    """MOTE's four numbers become entries of one mapping by term, which holds MOTE+'s as well."""

    dependencies = [
        ("searches", "0010_calibrations"),
    ]

    operations = [
        migrations.AddField(
            model_name="calibration",
            name="constants",
            field=models.JSONField(default=dict, help_text="fitted numbers by term (`engine.calibration.Numbers`)"),
            preserve_default=False,
        ),
        migrations.RunPython(gather),
        migrations.RemoveField(model_name="calibration", name="landscape_lam"),
        migrations.RemoveField(model_name="calibration", name="landscape_std"),
        migrations.RemoveField(model_name="calibration", name="speed_lam"),
        migrations.RemoveField(model_name="calibration", name="speed_std"),
    ]
