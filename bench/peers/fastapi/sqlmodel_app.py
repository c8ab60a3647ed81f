"""FastAPI as its author has it: SQLModel, with SQLAlchemy's engine on asyncpg."""

from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import statements
from api import (
    DATABASE_URL, POOL, Film, Films, Id, Match, Matches, NewSubmission, Nothing, PageSize, Submission, VisitorCount,
    Words, after, new_id, next_page, size_of,
)
from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import (
    ARRAY, JSON, DateTime, FetchedValue, Integer, Text, bindparam, cast, func, literal_column, text, tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

# Every request is one statement: a transaction around it would be two more round trips.
engine = create_async_engine(
    make_url(DATABASE_URL).set(drivername="postgresql+asyncpg"),
    pool_size=POOL, max_overflow=0, isolation_level="AUTOCOMMIT",
)


@asynccontextmanager
async def lifespan(_app: FastAPI):
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def opened():
    async with AsyncSession(engine, expire_on_commit=False) as session:
        yield session


Session = Annotated[AsyncSession, Depends(opened)]


class LanguageRow(SQLModel, table=True):
    __tablename__ = "languages"
    __table_args__ = {"schema": "catalog"}
    id: int = Field(primary_key=True)
    name: str


class CategoryRow(SQLModel, table=True):
    __tablename__ = "categories"
    __table_args__ = {"schema": "catalog"}
    id: int = Field(primary_key=True)
    name: str


class ActorRow(SQLModel, table=True):
    __tablename__ = "actors"
    __table_args__ = {"schema": "catalog"}
    id: int = Field(primary_key=True)
    first_name: str
    last_name: str


class FilmCategoryRow(SQLModel, table=True):
    __tablename__ = "film_categories"
    __table_args__ = {"schema": "catalog"}
    film_id: int = Field(primary_key=True, foreign_key="catalog.films.id")
    category_id: int = Field(primary_key=True, foreign_key="catalog.categories.id")


class FilmActorRow(SQLModel, table=True):
    __tablename__ = "film_actors"
    __table_args__ = {"schema": "catalog"}
    film_id: int = Field(primary_key=True, foreign_key="catalog.films.id")
    actor_id: int = Field(primary_key=True, foreign_key="catalog.actors.id")


class FilmRow(SQLModel, table=True):
    __tablename__ = "films"
    __table_args__ = {"schema": "catalog"}
    id: int = Field(primary_key=True)
    title: str
    description: str
    release_year: int | None
    language_id: int = Field(foreign_key="catalog.languages.id")
    original_language_id: int | None = Field(foreign_key="catalog.languages.id")
    rental_duration: int
    rental_rate: Decimal
    length: int | None
    replacement_cost: Decimal
    rating: str
    special_features: list[str] = Field(sa_type=ARRAY(Text))
    streaming_available: bool
    last_update: datetime = Field(sa_type=DateTime(timezone=True))


class SubmissionRow(SQLModel, table=True):
    __tablename__ = "submissions"
    __table_args__ = {"schema": "contacts"}
    id: UUID = Field(primary_key=True)
    external_id: str | None
    name: str
    email: str
    message: str
    status: str
    submitted_at: datetime = Field(sa_type=DateTime(timezone=True))
    document_insights: dict[str, Any] = Field(sa_type=JSONB)
    # Set by the database, and brought back by the insert.
    created_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": FetchedValue()})
    updated_at: datetime = Field(sa_type=DateTime(timezone=True), sa_column_kwargs={"server_default": FetchedValue()})


def name_of(language_id):
    language = aliased(LanguageRow)
    return select(language.name).where(language.id == language_id).scalar_subquery()


def as_list(item, *order):
    return func.coalesce(func.json_agg(aggregate_order_by(item, *order)), literal_column("'[]'::json"), type_=JSON)


def collated(text):
    return func.lower(text).collate("C")


COLUMNS = select(
    *(getattr(FilmRow, name) for name in FilmRow.model_fields if name not in ("rental_rate", "replacement_cost")),
    cast(FilmRow.rental_rate, Text).label("rental_rate"),
    cast(FilmRow.replacement_cost, Text).label("replacement_cost"),
    name_of(FilmRow.language_id).label("language"),
    name_of(FilmRow.original_language_id).label("original_language"),
)

# One statement that brings a film's categories and actors along: with relationships and `selectinload` it is three, and
# an object of the ORM for every row of them, which takes twice the time. Like the others it is made once, and its
# parameters have names: a `where` in each request would have SQLAlchemy look through all of the statement again, which
# takes as long as the rest of the request.
FILM = COLUMNS.add_columns(
    select(as_list(func.json_build_object("id", CategoryRow.id, "name", CategoryRow.name), CategoryRow.name))
    .join(FilmCategoryRow, FilmCategoryRow.category_id == CategoryRow.id)
    .where(FilmCategoryRow.film_id == FilmRow.id)
    .scalar_subquery().label("categories"),
    select(as_list(
        func.json_build_object(
            "id", ActorRow.id, "firstName", ActorRow.first_name, "lastName", ActorRow.last_name
        ),
        collated(ActorRow.last_name), collated(ActorRow.first_name), ActorRow.id,
    ))
    .join(FilmActorRow, FilmActorRow.actor_id == ActorRow.id)
    .where(FilmActorRow.film_id == FilmRow.id)
    .scalar_subquery().label("actors"),
).where(FilmRow.id == bindparam("film_id"))

PAGE = COLUMNS.order_by(collated(FilmRow.title), FilmRow.id).limit(bindparam("size", type_=Integer))
NEXT_PAGE = PAGE.where(
    tuple_(collated(FilmRow.title), FilmRow.id)
    > tuple_(collated(bindparam("title", type_=Text)), bindparam("after_id", type_=Integer))
)

# No model has anything to say about a search.
SEARCH = text(statements.SEARCH.format(query=":query", rank=":rank", id=":id", limit=":limit"))
VISIT = text(statements.VISIT.format(counter=":counter"))


@app.get("/v1/films", response_model_exclude_none=True)
async def list_films(session: Session, page_size: PageSize = 0, page_token: str = "") -> Films:
    size = size_of(page_size)
    title, id = after(page_token)
    statement, parameters = PAGE, {"size": size + 1}
    if page_token:
        statement, parameters = NEXT_PAGE, parameters | {"title": title, "after_id": id}
    rows = (await session.exec(statement, params=parameters)).mappings().all()
    return Films(films=[Film.of(row) for row in rows[:size]], next_page_token=next_page(rows, size, "title"))


@app.get("/v1/films:search", response_model_exclude_none=True)
async def search_films(session: Session, query: Words, page_size: PageSize = 0, page_token: str = "") -> Matches:
    size = size_of(page_size)
    rank, id = after(page_token)
    parameters = {"query": query, "rank": rank, "id": id, "limit": size + 1}
    rows = (await session.exec(SEARCH, params=parameters)).mappings().all()
    return Matches(matches=[Match.of(row) for row in rows[:size]], next_page_token=next_page(rows, size, "rank"))


@app.get("/v1/films/{id}", response_model_exclude_none=True)
async def get_film(session: Session, id: Id) -> Film:
    row = (await session.exec(FILM, params={"film_id": id})).mappings().one_or_none()
    if row is None:
        raise HTTPException(404, "there is no film with this id")
    return Film.of(row)


@app.post("/v1/submissions", status_code=201, response_model_exclude_none=True)
async def create_submission(session: Session, new: NewSubmission) -> Submission:
    id, submitted_at = new_id()
    row = SubmissionRow(**new.model_dump(), id=id, status="NEW", submitted_at=submitted_at)
    session.add(row)
    try:
        await session.commit()
    except IntegrityError:
        raise HTTPException(409, "there is a submission with the externalId") from None
    return Submission.of(row.model_dump())


@app.post("/v1/visitors/{counter}:increment", response_model_exclude_none=True)
async def visit(session: Session, counter: str, _body: Nothing) -> VisitorCount:
    row = (await session.exec(VISIT, params={"counter": counter})).mappings().one_or_none()
    if row is None:
        raise HTTPException(404, "there is no counter of this name")
    return VisitorCount.model_validate(row)
