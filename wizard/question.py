"""What a question is. Rooms declare theirs in these terms; `wizard.questions` puts them in order.

Nothing here imports another room but the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from wizard.model import Project

Kind: TypeAlias = Literal["choice", "text", "secret", "bool"]
Topic: TypeAlias = Literal["database", "files", "credentials"]
Replies: TypeAlias = Mapping[str, object]
When: TypeAlias = Callable[[Project, Replies], bool]


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `name` is what the answers file holds, `about` what the choice costs or means."""

    name: str
    title: str
    about: str = ""


def always(project: Project, replies: Replies) -> bool:
    """A question that is asked of everybody."""
    return True


def nothing(project: Project, replies: Replies) -> object:
    """A question without a default, or without a fault in its reply."""
    return None


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `key` is its place in the answers (`storage.` means every rule of the provider chosen).

    `why` says why it is asked, `help` what to know before replying. `default` may depend on the project and
    on earlier replies; None means that there is none and that an empty reply leaves the key out. `required`
    ones must have a reply before a run. `choices` makes the options where they depend on both; else `options`
    are all there are. `variable` is the environment variable that holds a secret where there is no keyring,
    `slug` its name in the keyring.
    """

    key: str
    topic: Topic
    kind: Kind
    title: str
    why: str
    help: str = ""
    options: tuple[Option, ...] = ()
    default: Callable[[Project, Replies], object] = nothing
    when: When = always
    required: bool = True
    variable: str = ""
    slug: str = ""
    example: str = ""
    choices: Callable[[Project, Replies], tuple[Option, ...]] | None = None

    @property
    def group(self) -> str:
        """`database` or `storage`: what is tested together."""
        return self.key.partition(".")[0]

    def offered(self, project: Project, replies: Replies) -> tuple[Option, ...]:
        """The options for these replies."""
        return self.options if self.choices is None else self.choices(project, replies)

    def reply(self, project: Project, replies: Replies) -> object:
        """What was said, else the default. What was said of other circumstances and is not offered any more
        counts for nothing."""
        given = replies.get(self.key)
        if self.kind == "choice" and given not in {o.name for o in self.offered(project, replies)}:
            given = None
        return self.default(project, replies) if given in (None, "") else given


@dataclass(frozen=True, slots=True)
class Ask:
    """The words of a question about one key of a storage or provider, held by that key's own declaration.

    An empty `variable` is made of the key's name.
    """

    title: str
    why: str
    help: str = ""
    example: str = ""
    variable: str = ""
    required: bool = True
