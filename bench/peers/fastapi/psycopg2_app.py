"""FastAPI as one has it without an ORM: psycopg2, its pool, and plain functions that run on threads."""

from contextlib import asynccontextmanager, contextmanager

import anyio.to_thread
import statements
from api import (
    DATABASE_URL, POOL, Film, Films, Id, Match, Matches, NewSubmission, Nothing, PageSize, Submission, VisitorCount,
    Words, after, new_id, next_page, size_of,
)
from fastapi import FastAPI, HTTPException
from psycopg2.errors import UniqueViolation
from psycopg2.extras import Json, RealDictCursor, register_uuid
from psycopg2.pool import ThreadedConnectionPool

pool: ThreadedConnectionPool


@asynccontextmanager
async def lifespan(_app: FastAPI):
    global pool
    # The pool does not wait, it refuses. With as many threads as connections nobody comes who would have to.
    anyio.to_thread.current_default_thread_limiter().total_tokens = POOL
    pool = ThreadedConnectionPool(POOL, POOL, DATABASE_URL, cursor_factory=RealDictCursor, options="-c timezone=UTC")
    register_uuid()
    yield
    pool.closeall()


app = FastAPI(lifespan=lifespan)


@contextmanager
def cursor():
    connection = pool.getconn()
    try:
        # Every request is one statement: a transaction around it would be two more round trips.
        connection.autocommit = True
        with connection.cursor() as opened:
            yield opened
    finally:
        pool.putconn(connection)


def named(statement: str, *names: str) -> str:
    return statement.format(**{name: f"%({name})s" for name in names})


FILM = named(statements.FILM, "id")
PAGE = named(statements.PAGE, "limit")
NEXT_PAGE = named(statements.NEXT_PAGE, "limit", "title", "id")
SEARCH = named(statements.SEARCH, "query", "rank", "id", "limit")
CREATE = named(
    statements.CREATE, "id", "external_id", "name", "email", "message", "submitted_at", "document_insights"
)
VISIT = named(statements.VISIT, "counter")


@app.get("/v1/films", response_model_exclude_none=True)
def list_films(page_size: PageSize = 0, page_token: str = "") -> Films:
    size = size_of(page_size)
    title, id = after(page_token)
    with cursor() as opened:
        opened.execute(NEXT_PAGE if page_token else PAGE, {"limit": size + 1, "title": title, "id": id})
        rows = opened.fetchall()
    return Films(films=[Film.of(row) for row in rows[:size]], next_page_token=next_page(rows, size, "title"))


@app.get("/v1/films:search", response_model_exclude_none=True)
def search_films(query: Words, page_size: PageSize = 0, page_token: str = "") -> Matches:
    size = size_of(page_size)
    rank, id = after(page_token)
    with cursor() as opened:
        opened.execute(SEARCH, {"query": query, "rank": rank, "id": id, "limit": size + 1})
        rows = opened.fetchall()
    return Matches(matches=[Match.of(row) for row in rows[:size]], next_page_token=next_page(rows, size, "rank"))


@app.get("/v1/films/{id}", response_model_exclude_none=True)
def get_film(id: Id) -> Film:
    with cursor() as opened:
        opened.execute(FILM, {"id": id})
        row = opened.fetchone()
    if row is None:
        raise HTTPException(404, "there is no film with this id")
    return Film.of(row)


@app.post("/v1/submissions", status_code=201, response_model_exclude_none=True)
def create_submission(new: NewSubmission) -> Submission:
    id, submitted_at = new_id()
    fields = new.model_dump() | {"id": id, "submitted_at": submitted_at}
    fields["document_insights"] = Json(new.document_insights)
    try:
        with cursor() as opened:
            opened.execute(CREATE, fields)
            return Submission.of(opened.fetchone())
    except UniqueViolation:
        raise HTTPException(409, "there is a submission with the externalId") from None


@app.post("/v1/visitors/{counter}:increment", response_model_exclude_none=True)
def visit(counter: str, _body: Nothing) -> VisitorCount:
    with cursor() as opened:
        opened.execute(VISIT, {"counter": counter})
        row = opened.fetchone()
    if row is None:
        raise HTTPException(404, "there is no counter of this name")
    return VisitorCount.model_validate(row)
