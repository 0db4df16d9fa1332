"""The form of a study: estimates and ablations to run, the truth, and the space and data, or a search that has both."""

from __future__ import annotations

from typing import Any, get_args

from django import forms

from engine.config.study import TRUTH, StudyConfig
from engine.errors import ConfigError
from engine.proxies import PROXIES
from engine.registry import ESTIMATORS
from searches.forms import choosing
from searches.models import Search, Table
from searches.services.studies import around

TRUTHS = (
    ("training", "train the networks now"),
    ("table", "a column of a table"),
    ("none", "none: compare the estimates with one another"),
)
ABLATION_CHOICES = (
    ("reduced_data", "MOTE on reduced data (RD), on random images of every label (RD-RS) and on all images"),
    (
        "reduced_network",
        "MOTE with the reduced network (RA) and with the full one, which often takes many times as long",
    ),
    ("terms", "MOTE by its landscape alone, by its speed alone and by both"),
    ("skip_connections", "MOTE where there are skip connections and where there are none"),
    ("seeds", "MOTE under five seeds: how much its ranking depends on the initial weights"),
)
LOOKED_UP = "table"
NO_IMAGES = choosing.Choice("none", "None (a table needs no images)", None)
SUMMARIES = {"tse": "TSE", "tse_e": "TSE-E", "tse_ema": "TSE-EMA", "last_loss": "Last loss"}
TITLES = SUMMARIES | {name: proxy.label for name, proxy in PROXIES.items()}


def estimate_choices() -> list[tuple[str, str]]:
    """Return the choices of estimates that look at networks, not at a table; each name of an estimate is a choice."""
    choices = []
    for kind, entry in ESTIMATORS.items():
        if not entry.options.needs_images:
            continue
        field = entry.options.model_fields.get("name")
        names = get_args(field.annotation) if field is not None else ()
        choices += [(f"{kind}:{name}", TITLES[name]) for name in names] or [(kind, entry.label)]
    return choices


class StudyForm(forms.Form):
    """The form. A valid form has the study's configuration in ``config``."""

    error_css_class = "invalid"

    name = forms.CharField(max_length=200, required=False, label="Name")
    search = forms.ModelChoiceField(
        Search.objects.none(),
        required=False,
        empty_label="no search: as chosen here",
        label="Space and data of",
        help_text="The study takes the space and data of this search; without a search the next two fields count",
    )
    space = forms.ChoiceField(required=False, label="Space", help_text="The study draws random networks of it")
    data = forms.ChoiceField(  # type: ignore[assignment] # a declared field: Django takes it off the class
        required=False, label="Data", help_text="The images that the estimates use"
    )
    networks = forms.IntegerField(
        min_value=3, max_value=5_000, initial=20, label="Networks", help_text="More networks give narrower intervals"
    )
    estimates = forms.MultipleChoiceField(required=False, label="Estimates", widget=forms.CheckboxSelectMultiple)
    compare = forms.MultipleChoiceField(
        required=False, choices=ABLATION_CHOICES, label="Ablations", widget=forms.CheckboxSelectMultiple
    )
    seeds = forms.IntegerField(
        min_value=1,
        max_value=10,
        initial=1,
        label="Seeds",
        help_text="Each ticked estimate runs with this many initial weights; ablations have their own seeds",
    )
    truth = forms.ChoiceField(choices=TRUTHS, label="Truth")
    epochs = forms.IntegerField(
        min_value=1,
        max_value=200,
        initial=3,
        required=False,
        label="Epochs",
        help_text="Needed if trained networks are the truth",
    )
    table = forms.ModelChoiceField(
        Table.objects.none(), required=False, label="Table", help_text="Needed if a table is the truth"
    )
    column = forms.CharField(required=False, max_length=200, label="Column", help_text="The column of that table")
    seed = forms.IntegerField(
        min_value=0, max_value=2**31 - 1, initial=0, label="Seed", help_text="Decides which networks are drawn"
    )

    def __init__(self, owner: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        fields: dict[str, Any] = self.fields
        fields["search"].queryset = Search.objects.filter(owner=owner, study=None).order_by("-id")
        self.spaces = choosing.spaces(owner)
        self.images = choosing.data(owner, last=[NO_IMAGES])
        self.spaces.fill(fields["space"])
        self.images.fill(fields["data"])
        fields["table"].queryset = Table.objects.filter(owner=owner)
        fields["estimates"].choices = estimate_choices()

    def clean(self) -> dict[str, Any]:
        """Have the engine check the configuration, and put its complaints at their fields."""
        values = super().clean() or {}
        if values.get("truth") == "table":
            for name in ("table", "column"):
                if not values.get(name):
                    self.add_error(name, "Needed if a table is the truth.")
        if values.get("truth") == "training" and not values.get("epochs"):
            self.add_error("epochs", "Needed if trained networks are the truth.")
        if not self.errors:
            try:
                self.config = StudyConfig.parse(self._document(values))
            except ConfigError as error:
                self.add_errors(error)
        return values

    def add_errors(self, error: ConfigError) -> None:
        """Put each complaint at its field; a complaint without a field stands above the form, with its path."""
        for item in error.errors:
            head = item.path.partition(".")[0]
            field = {"arms": "estimates", "dataset": "data"}.get(head, head)
            if field in ("space", "data") and self.cleaned_data.get("search"):
                field = "search"
            if head == TRUTH and item.path.endswith("reward"):
                field = "column"
            if field in self.fields:
                self.add_error(field, item.message)
            else:
                self.add_error(None, f"{item.path}: {item.message}" if item.path else item.message)

    def _document(self, values: dict[str, Any]) -> dict[str, Any]:
        labels = dict(estimate_choices())
        arms = []
        for choice in values["estimates"]:
            kind, _, name = choice.partition(":")
            for seed in range(values["seeds"]):
                label = name or labels[choice]
                label = label if values["seeds"] == 1 else f"{label}, seed {seed}"
                arms.append(
                    {"label": label, "estimator": {"kind": kind, "seed": seed, **({"name": name} if name else {})}}
                )
        document = {name: values[name] for name in ("name", "networks", "seed", "compare")} | {"arms": arms}
        if values["truth"] == "training":
            document[TRUTH] = {"kind": "short_training", "epochs": values["epochs"], "seed": 1}
        elif values["truth"] == "table":
            document[TRUTH] = {"kind": LOOKED_UP, "table": values["table"].pk, "reward": values["column"]}
        if values["search"]:
            return around(values["search"], document)
        return document | {
            "space": self.spaces.part(values["space"]),
            "dataset": self.images.part(values["data"]),
        }
