"""What both apps have in common: what comes in, what goes out, and page tokens."""

import base64
import json
import os
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

DATABASE_URL = os.environ["DATABASE_URL"]
# Connections of each of the two workers.
POOL = max(int(os.environ.get("POOL", "16")) // 2, 1)

# As the HTML standard has it for `<input type=email>`: it is what the API asks for, and EmailStr takes thirty times as
# long.
LABEL = "[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
EMAIL = rf"^[a-zA-Z0-9.!#$%&'*+/=?^_`{{|}}~-]+@{LABEL}(?:\.{LABEL})*$"

RATINGS = {
    "G": "FILM_RATING_G",
    "PG": "FILM_RATING_PG",
    "PG-13": "FILM_RATING_PG_13",
    "R": "FILM_RATING_R",
    "NC-17": "FILM_RATING_NC_17",
}

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MARKS = str.maketrans({
    "\x01": "<mark>", "\x02": "</mark>", "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;",
})

Id = Annotated[int, Field(ge=-(2**31), lt=2**31)]
PageSize = Annotated[int, Query(ge=0)]
Words = Annotated[str, Query(min_length=1, max_length=200)]


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Category(Camel):
    id: int
    name: str


class Actor(Camel):
    id: int
    first_name: str
    last_name: str


class Film(Camel):
    id: int
    title: str
    description: str
    release_year: int | None
    language_id: int
    original_language_id: int | None
    rental_duration: int
    rental_rate: str
    length: int | None
    replacement_cost: str
    rating: str
    special_features: list[str]
    streaming_available: bool
    last_update: datetime
    etag: str
    language: str
    original_language: str | None
    categories: list[Category] = []
    actors: list[Actor] = []

    @classmethod
    def of(cls, row) -> "Film":
        return cls.model_validate(
            {**row, "rating": RATINGS[row["rating"]], "etag": etag(row["last_update"])}
        )


class Films(Camel):
    films: list[Film]
    next_page_token: str


class Match(Camel):
    film: Film
    rank: float
    title_html: str
    snippet_html: str

    @classmethod
    def of(cls, row) -> "Match":
        return cls(
            film=Film.of(row),
            rank=row["rank"],
            title_html=row["title_marked"].translate(MARKS),
            snippet_html=row["snippet_marked"].translate(MARKS),
        )


class Matches(Camel):
    matches: list[Match]
    next_page_token: str
    approximate: bool = False


class NewSubmission(Camel):
    model_config = ConfigDict(extra="forbid")

    external_id: str | None = Field(default=None, min_length=1, max_length=255)
    name: str = Field(min_length=1, max_length=200)
    email: str = Field(pattern=EMAIL, max_length=254)
    message: str = Field(min_length=1, max_length=10_000)
    document_insights: dict[str, Any] = {}


class Submission(Camel):
    id: uuid.UUID
    external_id: str | None
    name: str
    email: str
    message: str
    status: str
    submitted_at: datetime
    document_insights: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    etag: str

    @classmethod
    def of(cls, row) -> "Submission":
        status, changed = f"SUBMISSION_STATUS_{row['status']}", etag(row["updated_at"])
        return cls.model_validate({**row, "status": status, "etag": changed})


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


class VisitorCount(Camel):
    counter: str
    # As text, because it may be more than a number of JavaScript holds.
    count: str
    last_updated: datetime | None


def etag(changed: datetime) -> str:
    return f"{(changed - EPOCH) // timedelta(microseconds=1):x}"


def new_id() -> tuple[uuid.UUID, datetime]:
    """A UUIDv7 and the time that it carries: the key of the table wants them to agree."""
    micros = time.time_ns() // 1000
    rest = int.from_bytes(os.urandom(10))
    number = micros // 1000 << 80 | rest & ~(0xF << 76) & ~(0b11 << 62) | 7 << 76 | 0b10 << 62
    return uuid.UUID(int=number), EPOCH + timedelta(microseconds=micros)


def size_of(page_size: int) -> int:
    return min(page_size or 20, 100)


def next_page(rows: list, size: int, key: str) -> str:
    """The token of the next page, which begins after the last row of this one. There is one more where there is one."""
    if len(rows) <= size:
        return ""
    last = rows[size - 1]
    return base64.urlsafe_b64encode(json.dumps([last[key], last["id"]]).encode()).decode()


def after(token: str) -> tuple[Any, int] | tuple[None, None]:
    if not token:
        return None, None
    try:
        key, id = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise HTTPException(400, "page_token must be a next_page_token") from None
    return key, id
