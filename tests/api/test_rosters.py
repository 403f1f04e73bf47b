"""Rosters over HTTP: files that cannot be read, said in three languages, and workbooks that are handed out."""

from typing import Any

import pytest

from tests.api.conftest import Stage
from tests.cases.files import sheets

PATH = "/v1/rosters"
CSV = {"Content-Type": "text/csv"}
BIG5 = "name_zh\n張偉\n黃志強\n".encode("big5hkscs")
WORDS = {
    "en": "The encoding of the file is not certain",
    "zh-Hans": "无法确定文件的编码",
    "zh-Hant": "無法確定檔案的編碼",
}


async def _refused(stage: Stage, content: bytes, kind: str, **query: Any) -> tuple[int, list[tuple[str, str, str]]]:
    language = query.pop("language", "en")
    headers = {"Content-Type": kind, "Accept-Language": language}
    answer = await stage.as_("employer-a").post(PATH, content=content, headers=headers, params=query)
    problem = answer.json()
    return answer.status_code, [(e["field"], e["code"], e["message"]) for e in problem["errors"]]


@pytest.mark.parametrize("language", WORDS)
async def test_why_a_file_is_not_taken_is_said_in_the_asked_language(stage: Stage, language: str) -> None:
    status, errors = await _refused(stage, BIG5, "text/csv", language=language)
    assert (status, [(field, code) for field, code, _ in errors]) == (422, [("file", "bad_characters")])
    assert errors[0][2].startswith(WORDS[language])
    assert "big5-hkscs" in errors[0][2]


async def test_a_missing_column_is_named_by_the_headers_it_may_have(stage: Stage) -> None:
    _, errors = await _refused(stage, b"name_zh,mail,mail\nx,a@mail.example,b\n", "text/csv", language="zh-Hans")
    assert ("header[2]", "unknown_field", "“mail”列与前面一列含义相同；请只留一列。") in errors
    assert ("position", "required", "缺少“职务 / 職位 / Position”列。") in errors


@pytest.mark.parametrize(
    "name", ["a shared text shown thousands of times", "a place hidden behind a false end of its tag"]
)
async def test_a_file_made_to_do_harm_is_a_refusal_and_the_next_call_is_served(stage: Stage, name: str) -> None:
    status, errors = await _refused(stage, sheets.HOSTILE[name](), sheets.XLSX)
    assert (status, [(field, code) for field, code, _ in errors]) == (422, [("file", "too_long")])
    assert (await stage.as_("employer-a").get("/v1/registrations")).status_code == 200


@pytest.mark.parametrize("content", [b" \n", b" \nname_zh\n", b"", b"\xff\xfe", b"PK\x03\x04", b'"'])
@pytest.mark.parametrize("kind", ["text/csv", sheets.XLSX])
async def test_no_content_is_answered_as_if_the_engine_were_away(stage: Stage, content: bytes, kind: str) -> None:
    assert (await _refused(stage, content, kind))[0] == 422


async def test_the_encoding_may_be_said_in_query_and_form(stage: Stage) -> None:
    lines = [sheets.HEADERS, ("張偉", *sheets.ROW[1:2], "Researcher", *sheets.ROW[3:])]
    content = "\n".join(",".join(line) for line in lines).encode("big5hkscs")
    employer = stage.as_("employer-a")
    said = await employer.post(PATH, content=content, headers=CSV, params={"encoding": "big5-hkscs"})
    form: dict[str, Any] = {"files": {"file": ("r.csv", content, "text/csv")}, "data": {"encoding": "big5-hkscs"}}
    assert [said.status_code, (await employer.post(PATH, **form)).status_code] == [202, 202]
    unknown = await employer.post(PATH, content=content, headers=CSV, params={"encoding": "latin-1"})
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "encoding")


async def test_workbooks_are_handed_out_as_files_that_are_kept_nowhere(stage: Stage) -> None:
    employer = stage.as_("employer-a")
    content = "\n".join(",".join(line) for line in (sheets.HEADERS, sheets.ROW)).encode()
    roster = (await employer.post(PATH, content=content, headers=CSV)).json()
    for path in (roster["links"]["annotated"], f"{PATH}/template?act=departure&language=zh-Hant"):
        answer = await employer.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, sheets.XLSX)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"].startswith("attachment; filename=")
        assert answer.content.startswith(b"PK")
    assert (await stage.as_("employer-b").get(roster["links"]["annotated"])).status_code == 404
