"""`/healthz`: whether this process reaches its database."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from leadflow.models import sweep
from leadflow.web.state import Opened

router = APIRouter()


@router.api_route("/healthz", methods=["GET", "HEAD"])
def healthz(app: Opened) -> Response:
    """200 when the database answers, 503 when it does not."""
    try:
        with Session(app.reader) as session:
            session.scalar(select(sweep.c.at).limit(1))
    except SQLAlchemyError:
        return JSONResponse({"status": "no database"}, status_code=503)
    return JSONResponse({"status": "ok"})
