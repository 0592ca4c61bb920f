"""The routes, over a real store: what is taken, what is refused, who sees what."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from avdetect.service import audit, jobs
from avdetect.service.app import make_app
from avdetect.service.keys import Scope, create_key
from tests.service.conftest import known_verdict

CLIP = b"RIFF of a clip"


@pytest.fixture
def app(settings, store):
    with TestClient(make_app(settings, store), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def key(store):
    with store.writing() as session:
        return create_key(session, owner="desk", scopes=list(Scope))


@pytest.fixture
def client(app, key):
    app.headers["Authorization"] = f"Bearer {key}"
    return app


def as_other(store, owner, *scopes):
    with store.writing() as session:
        return {"Authorization": f"Bearer {create_key(session, owner=owner, scopes=scopes)}"}


def judge_all(store):
    with store.writing() as session:
        for job in jobs.claim(session, 10):
            jobs.finish(session, job, known_verdict())


def kept(settings):
    return sorted(path.name for path in settings.media.iterdir())


def test_raw_body_becomes_a_queued_scan(client, settings):
    answer = client.post("/v1/scans", content=CLIP)
    scan = answer.json()
    assert (answer.status_code, scan["state"], scan["verdict"]) == (202, "queued", None)
    assert answer.headers["Location"] == f"/v1/scans/{scan['id']}"
    assert (settings.media / scan["id"]).read_bytes() == CLIP


def test_form_holds_the_same_clip(client, settings, store):
    raw = client.post("/v1/scans", content=CLIP).json()
    form = client.post("/v1/scans", files={"media": ("../../etc/Mrs Smith.WAV", CLIP)}).json()
    assert form["media_sha256"] == raw["media_sha256"]
    assert kept(settings) == sorted([raw["id"], form["id"]])
    with store.writing() as session:
        _, job = jobs.claim(session, 2)
    assert job.options.name == f"{form['id']}.wav"  # of the name as given, the suffix alone


def test_name_of_the_file_is_kept_nowhere(client, store, capfd):
    client.post("/v1/scans", files={"media": ("Mrs_Smith.wav", CLIP)})
    with store.reading() as session:
        log = [audit.to_json(entry) for entry in audit.entries(session)]
    assert "Smith" not in "".join(log)
    assert "Smith" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        ({"content": b""}, 400),
        ({"files": {}, "headers": {"Content-Type": "multipart/form-data"}, "content": b"x"}, 400),
        ({"files": [("a", ("a", b"1")), ("b", ("b", b"2"))]}, 400),
        ({"content": gzip.compress(CLIP), "headers": {"Content-Encoding": "gzip"}}, 415),
        ({"content": CLIP, "params": {"prior_fake": 1}}, 422),
        ({"content": CLIP, "params": {"format": "ulaw"}}, 422),
        ({"content": CLIP, "params": {"channel": "middle"}}, 422),
        ({"content": CLIP, "params": {"webhook": "http://169.254.169.254/"}}, 422),
        ({"content": CLIP, "params": {"unknown": "1"}}, 422),
    ],
)
def test_odd_requests_are_refused_and_leave_nothing(client, settings, request_of, status):
    answer = client.post("/v1/scans", **request_of)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"code", "message"}
    assert kept(settings) == []


def test_form_that_is_cut_off_leaves_nothing(client, settings):
    head = b'--b\r\nContent-Disposition: form-data; name="media"; filename="a.wav"\r\n\r\nRIFF'
    answer = client.post(
        "/v1/scans", content=head, headers={"Content-Type": "multipart/form-data; boundary=b"}
    )
    assert answer.status_code == 400
    assert kept(settings) == []


@pytest.mark.parametrize("declared", [True, False])
def test_clip_over_the_limit_is_refused(settings, store, key, declared):
    small = replace(settings, max_upload_bytes=1000)

    def pieces():
        yield from [b"x" * 600] * 2

    with TestClient(make_app(small, store)) as client:
        body = b"x" * 1200 if declared else pieces()
        answer = client.post("/v1/scans", content=body, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 413
    assert kept(settings) == []


def test_full_queue_says_when_to_come_again(client):
    codes = [client.post("/v1/scans", content=CLIP).status_code for _ in range(4)]
    assert codes == [202, 202, 202, 429]
    assert int(client.post("/v1/scans", content=CLIP).headers["Retry-After"]) > 0


def test_same_request_again_is_the_same_scan(client, settings):
    headers = {"Idempotency-Key": "case 7"}
    first = client.post("/v1/scans", content=CLIP, headers=headers)
    again = client.post("/v1/scans", content=CLIP, headers=headers)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert kept(settings) == [first.json()["id"]]


@pytest.mark.parametrize(
    "other", [{"content": b"other"}, {"content": CLIP, "params": {"prior_fake": 0.1}}]
)
def test_key_of_another_request_is_refused(client, settings, other):
    headers = {"Idempotency-Key": "case 7"}
    client.post("/v1/scans", content=CLIP, headers=headers)
    answer = client.post("/v1/scans", headers=headers, **other)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "idempotency_key")
    assert len(kept(settings)) == 1


def test_verdict_is_handed_out_and_that_is_on_record(client, store):
    scan_id = client.post("/v1/scans", content=CLIP).json()["id"]
    judge_all(store)
    scan = client.get(f"/v1/scans/{scan_id}", params={"wait": 5}).json()
    assert (scan["state"], scan["decision"], scan["verdict"]["fake_llr"]) == ("done", "fake", 2.0)
    with store.reading() as session:
        actions = [entry.action for entry in audit.entries(session, scan_id)]
    assert actions == ["scan.submit", "scan.judged", "scan.read"]


def test_report_is_there_when_the_verdict_is(client, store):
    scan_id = client.post("/v1/scans", content=CLIP).json()["id"]
    assert client.get(f"/v1/scans/{scan_id}/report").status_code == 409
    judge_all(store)
    page = client.get(f"/v1/scans/{scan_id}/report")
    assert page.headers["Content-Type"].startswith("text/html")
    assert "FAKE" in page.text.upper()


def test_deleted_scan_is_gone_with_its_clip(client, settings):
    scan_id = client.post("/v1/scans", content=CLIP).json()["id"]
    assert client.delete(f"/v1/scans/{scan_id}").status_code == 204
    assert client.get(f"/v1/scans/{scan_id}").status_code == 404
    assert kept(settings) == []


def test_other_owner_sees_and_deletes_nothing(client, store):
    scan_id = client.post("/v1/scans", content=CLIP).json()["id"]
    other = as_other(store, "other-desk", *Scope)
    assert client.get(f"/v1/scans/{scan_id}", headers=other).status_code == 404
    assert client.get(f"/v1/scans/{scan_id}/report", headers=other).status_code == 404
    assert client.delete(f"/v1/scans/{scan_id}", headers=other).status_code == 404
    assert client.get("/v1/scans", headers=other).json()["scans"] == []


@pytest.mark.parametrize("given", [None, "Bearer avd_000000000000_" + "x" * 43, "Basic YTpi"])
def test_without_a_valid_key_nothing_is_told(app, given):
    headers = {} if given is None else {"Authorization": given}
    for method, path in [("POST", "/v1/scans"), ("GET", "/v1/scans"), ("GET", "/v1/model")]:
        answer = app.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "key")


def test_key_without_the_scope_is_refused(app, store):
    reader = as_other(store, "desk", Scope.READ)
    assert app.post("/v1/scans", content=CLIP, headers=reader).status_code == 403
    assert app.put("/v1/model", json={"name": "default"}, headers=reader).status_code == 403


@pytest.mark.parametrize("scan_id", ["..%2F..%2Fetc%2Fpasswd", "x" * 32, "A" * 32, "0" * 31])
def test_ids_that_are_none_reach_no_file(client, scan_id):
    assert client.get(f"/v1/scans/{scan_id}").status_code in (404, 422)


def test_list_is_newest_first_and_filtered_page_by_page(client, store):
    ids = [client.post("/v1/scans", content=CLIP).json()["id"] for _ in range(3)]
    first = client.get("/v1/scans", params={"limit": 2}).json()
    rest = client.get("/v1/scans", params={"limit": 2, "cursor": first["next"]}).json()
    assert [scan["id"] for scan in first["scans"] + rest["scans"]] == ids[::-1]
    assert rest["next"] is None
    judge_all(store)
    assert len(client.get("/v1/scans", params={"decision": "fake"}).json()["scans"]) == 3
    assert client.get("/v1/scans", params={"state": "queued"}).json()["scans"] == []
    assert client.get("/v1/scans", params={"cursor": "x"}).status_code == 422


def test_model_is_chosen_by_name_with_both_hashes_on_record(client, store, monkeypatch, tmp_path):
    assert client.get("/v1/model").json()["name"] == "default"
    assert client.put("/v1/model", json={"name": "default"}).status_code == 200
    assert client.put("/v1/model", json={"name": "no-such"}).status_code == 422
    assert client.put("/v1/model", json={"name": "../x"}).status_code == 422
    with store.reading() as session:
        *_, last = audit.entries(session, "default")
    facts = json.loads(last.facts)
    assert set(facts) == {"from", "to"}
    assert all(len(digest) == 64 for digest in facts["to"].values())


def test_probes_answer_without_a_key(app):
    assert app.get("/healthz").json() == {"status": "ok"}
    assert app.get("/readyz").json() == {"status": "ready"}


def test_metrics_count_scans_by_state(client, store):
    client.post("/v1/scans", content=CLIP)
    judge_all(store)
    client.post("/v1/scans", content=CLIP)
    lines = client.get("/metrics").text.splitlines()
    assert 'avdetect_scans{state="done"} 1.0' in lines
    assert 'avdetect_scans{state="queued"} 1.0' in lines
    assert "avdetect_scans_judged_total 1.0" in lines


def test_unknown_address_is_a_problem_too(client):
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "http")


def test_a_method_that_is_not_there_is_told_with_those_that_are(client):
    answer = client.request("PATCH", "/v1/model")
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, PUT"


def test_answers_are_documented_as_they_come(client):
    paths = client.get("/openapi.json").json()["paths"]
    report = paths["/v1/scans/{scan_id}/report"]["get"]["responses"]
    assert list(report["200"]["content"]) == ["text/html"]
    assert list(report["404"]["content"]) == ["application/json"]
    metrics = paths["/metrics"]["get"]["responses"]
    assert list(metrics["200"]["content"]) == ["text/plain"]
    assert client.get("/metrics").headers["Content-Type"].startswith("text/plain")
