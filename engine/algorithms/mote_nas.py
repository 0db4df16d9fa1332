"""MOTE-NAS: rounds of cheap estimates near the best networks so far, then finalists that are trained.

The rule ``published`` has rounds ``i = 0 .. max(k, 10) - 1`` with batches of ``b = 10 * (i // 10) + 10`` for k
finalists. Round 0 estimates b random networks. Every later round takes the best hundredth of all networks (at least
one) as parents, draws 10 b random networks and estimates those at most two decisions away from a parent. The k best
networks by the estimate become finalists. Without a final estimate (k = 1) the best by the estimate wins
(MOTE-NAS-EF). With ``sampling = random`` every round estimates b random networks (MOTE-NAS-RS). In a space so large
that less than one draw per round is expected near a parent, b networks near the parents are drawn instead.

The rule ``guided`` spends the same effort on other networks. It first estimates a pool, half of it random and half near
the best networks of the pool. It then chooses each finalist by the results of the finalists before it
(`engine.algorithms.guided_finalists`). For each finalist it also estimates a few scouts. Networks are drawn near
the best finalists and anywhere in the space, and those for which the surrogate predicts most become scouts. Without a
final estimate the pool keeps growing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from engine.algorithms.features import reader_of
from engine.algorithms.finalists import Finalists
from engine.algorithms.guided_finalists import Guided
from engine.algorithms.neighbours import mutated, neighbours
from engine.algorithms.proposals import Proposal
from engine.algorithms.sampling import SamplingSearch, Scored
from engine.config.algorithms import MoteNASOptions
from engine.problem import SearchProblem
from engine.ranking import rank
from engine.space import Choices

BATCH = 10
NEAR = 2
"""The largest number of decisions in which a child may differ from its parent."""
PARENTS = 100
"""The best 1 / `PARENTS` of the estimated networks are parents (at least one); if guided, 1 / `GUIDED_PARENTS`."""
GUIDED_PARENTS = 20
SCOUTED = 300
"""Number of networks drawn as candidates for scouts, half of them near the best finalists."""
LEADERS = 3
ATTEMPTS = 10


class Planned(NamedTuple):
    """A network that will be proposed; if ``choices`` is None, any random network."""

    choices: Choices | None
    origin: str
    parent: int | None = None


class RoundPlan(NamedTuple):
    """The networks of the next round, and the number of rounds including it."""

    rounds: int
    networks: list[Planned]


ANY = Planned(None, "random")


class MoteNAS(SamplingSearch):
    """Rounds of estimates; a round's networks depend only on the rounds before it."""

    kind = "mote_nas"
    rescorable = True
    options: MoteNASOptions

    def __init__(self, options: MoteNASOptions, problem: SearchProblem, seed: int) -> None:
        super().__init__(options, problem, seed)
        self._reader = reader_of(self.space)
        self._scored: list[Scored] = []
        self._queue: list[Planned] = []
        self._rounds = 0
        self._tried = 0
        self._closed = False
        self._plan: RoundPlan | None = None
        self._ball = _ball(problem)

    def choose_finalists(self, count: int) -> Finalists:
        """Return finalists chosen by the estimate, or, under the guided rule, by a surrogate."""
        if self.options.rule == "published":
            return super().choose_finalists(count)
        return Guided(self.problem, count, self.options.together)

    # --- asking ------------------------------------------------------------------------------------------------
    def _propose(self, number: int) -> Proposal | None:
        while not self._closed:
            while self._queue:
                planned = self._queue.pop(0)
                proposal = self._proposal(number, planned)
                if proposal is not None:
                    return proposal
            if self._pending:
                return None
            plan = self._planned()
            if plan is None:
                return None
            self._rounds = plan.rounds
            self._queue = list(plan.networks)
            self._plan = None
        return None

    def _propose_final(self, number: int) -> Proposal | None:
        """Propose a finalist.

        If this is asked while scouts are due, their budget is spent, and no more scouts are proposed.
        """
        if self._grown and not self._pending and not self._exhausted():
            self._closed = True
        return super()._propose_final(number)

    @property
    def cut_short(self) -> bool:
        """Return whether the budget ended while networks, scouts among them, were left to try."""
        return self._closed or super().cut_short

    def _proposal(self, number: int, planned: Planned) -> Proposal | None:
        choices = planned.choices
        if choices is not None and not self._networks.open(choices):
            return None
        self._tried += 1
        if choices is None:
            return self._random(number)
        return self._new(number, choices, planned.origin, parent=planned.parent)

    def _exhausted(self) -> bool:
        if self._closed:
            return True
        waiting = any(p.choices is None or self._networks.open(p.choices) for p in self._queue)
        return self._peek(self.asked) is None or not (waiting or self._planned() is not None)

    @property
    def _grown(self) -> bool:
        """Return whether the pool from which guided finalists are chosen is complete."""
        return isinstance(self._finalists, Guided) and self._tried >= self.options.pool

    def _planned(self) -> RoundPlan | None:
        """Return the next round that has networks; repeated calls between two outcomes return the same round."""
        if self._plan is None and self._peek(self.asked) is not None:
            self._plan = self._published() if self.options.rule == "published" else self._guided()
        return self._plan

    def _published(self) -> RoundPlan | None:
        for number in range(self._rounds, max(self._finalist_count, BATCH)):
            batch = BATCH * (number // BATCH) + BATCH
            rng = self.rng(number, "round")
            if self.options.sampling == "random" or number == 0 or not self._scored:
                return RoundPlan(number + 1, [ANY] * batch)
            if networks := self._near_parents(batch, self._parents(PARENTS), rng):
                return RoundPlan(number + 1, networks)
        return None

    def _guided(self) -> RoundPlan | None:
        number = self._rounds
        rng = self.rng(self._rounds, "round")
        finalists = self._finalists
        if isinstance(finalists, Guided) and self._grown:
            return self._scouts(finalists, rng)
        batch = min(BATCH, self.options.pool - self._tried) if isinstance(finalists, Guided) else BATCH
        some = len(self._scored) >= (self.options.pool + 1) // 2
        if self.options.sampling == "random" or not some:
            return RoundPlan(number + 1, [ANY] * batch)
        networks = list(self._mutants(batch, self._parents(GUIDED_PARENTS), rng))
        return RoundPlan(number + 1, networks or [ANY] * batch)

    def _scouts(self, finalists: Guided, rng: Random) -> RoundPlan | None:
        """Return the scouts that are due for the finalists told so far, or None if none are due."""
        due = self.options.scouts * finalists.settled - (self._tried - self.options.pool)
        leaders = finalists.leaders(LEADERS)
        if due <= 0 or finalists.over or not leaders:
            return None
        parents = [Scored(leader.number, leader.worth, leader.choices) for leader in leaders]
        near = {p.choices: p for p in self._mutants(SCOUTED // 2, parents, rng) if p.choices is not None}
        far = (self.space.sample(rng).choices for _ in range(SCOUTED - SCOUTED // 2))
        found = near | {choices: Planned(choices, "scout") for choices in far if self._networks.open(choices)}
        chosen = finalists.best_of(list(found), due)
        return RoundPlan(self._rounds + 1, [found[choices] for choices in chosen]) if chosen else None

    def _parents(self, one_in: int) -> list[Scored]:
        ranked = sorted(self._scored, key=lambda network: rank(network.number, network.value))
        return ranked[: max(1, len(ranked) // one_in)]

    def _near_parents(self, batch: int, parents: list[Scored], rng: Random) -> list[Planned]:
        """Return those of 10 b random networks that are near a parent; the parent is the best one near enough."""
        draws = BATCH * batch
        if self._ball * draws < self.space.size:
            return list(self._mutants(batch, parents, rng))
        found: dict[Choices, Planned] = {}
        for _ in range(draws):
            choices = self._networks.draw(rng)
            if choices is None:
                break
            near = (parent for parent in parents if self._reader.distance(choices, parent.choices) <= NEAR)
            if parent := next(near, None):
                found[choices] = Planned(choices, "mutation", parent.number)
        return list(found.values())

    def _mutants(self, count: int, parents: list[Scored], rng: Random) -> Iterator[Planned]:
        """Yield up to ``count`` different open networks, each at most two decisions away from a parent."""
        found: set[Choices] = set()
        for _ in range(ATTEMPTS * count):
            if len(found) == count:
                return
            parent = rng.choice(parents)
            choices = parent.choices
            for _ in range(rng.randint(1, NEAR)):
                _, choices = mutated(self.space, choices, rng)
            if choices in found or not self._networks.open(choices):
                continue
            if self._reader.distance(choices, parent.choices) <= NEAR:
                found.add(choices)
                yield Planned(choices, "mutation", parent.number)

    # --- learning ----------------------------------------------------------------------------------------------
    def _observe_told(self) -> None:
        super()._observe_told()
        self._plan = None

    def _observe(self, proposal: Proposal, score: float | None) -> None:
        if score is not None:
            self._scored.append(Scored(proposal.number, score, proposal.architecture.choices))

    def _rescore(self, networks: Sequence[tuple[Proposal, float]]) -> None:
        self._scored = [Scored(p.number, score, p.architecture.choices) for p, score in networks]
        self._plan = None

    # --- state -------------------------------------------------------------------------------------------------
    def _dump_state(self) -> dict[str, Any]:
        return {
            **super()._dump_state(),
            "scored": list(map(list, self._scored)),
            "queue": list(map(list, self._queue)),
            "rounds": self._rounds,
            "tried": self._tried,
            "closed": self._closed,
        }

    def _load_state(self, state: Mapping[str, Any]) -> None:
        super()._load_state(state)
        self._scored = [Scored.of(*row) for row in state["scored"]]
        self._queue = [Planned(c and tuple(c), str(o), None if p is None else int(p)) for c, o, p in state["queue"]]
        self._rounds = int(state["rounds"])
        self._tried = int(state["tried"])
        self._plan = None
        self._closed = bool(state["closed"])


def _ball(problem: SearchProblem) -> int:
    """Return about how many networks lie within two decisions of the default network."""
    space = problem.space
    one = {choices for _, choices in neighbours(space, space.default().choices)}
    return 1 + len(one) + len(one) * len(one) // 2
