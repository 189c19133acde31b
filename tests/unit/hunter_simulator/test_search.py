"""domain-search: parameters, filters, pages and domains without addresses."""

from collections.abc import Callable

import pytest

from hunter_simulator import DEFAULT_KEY, TEST_KEY, Domain, Filters, Person, found, read_filters, truth
from unit.hunter_simulator.asking import Asking


def test_the_default_page_holds_the_first_ten(hunter: Asking) -> None:
    answer = hunter.search("n25.example")
    assert answer.emails == [person.value for person in truth("n25.example", 10)]
    assert (answer.results, answer.body["meta"]["limit"], answer.body["meta"]["offset"]) == (25, 10, 0)


def test_pages_follow_each_other_without_gap_or_repeat(hunter: Asking) -> None:
    assert hunter.all_pages("n230.example") == [person.value for person in truth("n230.example", 230)]
    assert hunter.all_pages("n230.example", limit=37) == [person.value for person in truth("n230.example", 230)]


def test_a_page_after_the_end_is_empty_and_still_names_the_total(hunter: Asking) -> None:
    answer = hunter.search("n25.example", offset=30)
    assert (answer.emails, answer.results) == ([], 25)


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "", "1.5", "1_0", "٣"])
def test_a_limit_outside_1_to_100_is_a_pagination_error(hunter: Asking, limit: str) -> None:
    status, error_id, details = hunter.search("n25.example", limit=limit).error
    assert (status, error_id) == (400, "pagination_error")
    assert "limit should" in details


@pytest.mark.parametrize("offset", ["-1", "10001", "x", ""])
def test_an_offset_outside_0_to_10000_is_a_pagination_error(hunter: Asking, offset: str) -> None:
    status, error_id, details = hunter.search("n25.example", offset=offset).error
    assert (status, error_id) == (400, "pagination_error")
    assert "offset should" in details


def test_the_limits_themselves_are_allowed(hunter: Asking) -> None:
    hunter.simulator.set_domain("big.example", 25_000)
    assert len(hunter.search("big.example", limit=100, offset=10_000).emails) == 100
    assert len(hunter.search("big.example", limit=1).emails) == 1


FILTERS: dict[str, tuple[dict[str, str], Callable[[Person], bool]]] = {
    "type personal": ({"type": "personal"}, lambda p: p.type == "personal"),
    "type generic": ({"type": "generic"}, lambda p: p.type == "generic"),
    "one seniority": ({"seniority": "senior"}, lambda p: p.seniority == "senior"),
    "two seniorities": ({"seniority": "senior,executive"}, lambda p: p.seniority in {"senior", "executive"}),
    "departments, upper case and blanks": ({"department": "IT, sales"}, lambda p: p.department in {"it", "sales"}),
    "an unknown value among known ones": ({"department": "it,alchemy"}, lambda p: p.department == "it"),
    "full name": ({"required_field": "full_name"}, lambda p: bool(p.first_name and p.last_name)),
    "phone and position": (
        {"required_field": "phone_number,position"},
        lambda p: p.phone_number is not None and p.position is not None,
    ),
    "verification": ({"verification_status": "valid,unknown"}, lambda p: p.verification.status in {"valid", "unknown"}),
    "filters add up": (
        {"type": "personal", "seniority": "junior", "department": "it"},
        lambda p: (p.type, p.seniority, p.department) == ("personal", "junior", "it"),
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filters_are_really_applied(hunter: Asking, name: str) -> None:
    parameters, passes = FILTERS[name]
    expected = [person.value for person in truth("n900.example", 900) if passes(person)]
    assert 0 < len(expected) < 900
    assert hunter.all_pages("n900.example", filters=parameters) == expected
    assert hunter.search("n900.example", key=DEFAULT_KEY, **parameters).results == len(expected)
    assert [person.value for person in hunter.simulator.truth("n900.example", read_filters(parameters))] == expected


def test_empty_filters_and_unknown_parameters_change_nothing(hunter: Asking) -> None:
    assert found(truth("n25.example", 25), Filters()) == truth("n25.example", 25)
    assert hunter.search("n25.example", type="", seniority="", colour="blue").results == 25


@pytest.mark.parametrize(
    ("parameter", "error_id"),
    [
        ("type", "invalid_type"),
        ("seniority", "invalid_seniority"),
        ("department", "invalid_department"),
        ("required_field", "invalid_required_field"),
        ("verification_status", "invalid_verification_status"),
    ],
)
def test_a_filter_without_any_valid_value_is_refused(hunter: Asking, parameter: str, error_id: str) -> None:
    assert hunter.search("n25.example", key=DEFAULT_KEY, **{parameter: "nonsense,more"}).error_id == (400, error_id)


def test_type_is_no_list(hunter: Asking) -> None:
    assert hunter.search("n25.example", type="personal,generic").error_id == (400, "invalid_type")


@pytest.mark.parametrize("path", ["domain-search", "email-count"])
def test_a_missing_domain_is_wrong_params(hunter: Asking, path: str) -> None:
    assert hunter.get(path).error_id == (400, "wrong_params")
    assert hunter.get(path, domain="").error_id == (400, "wrong_params")


@pytest.mark.parametrize(
    "name",
    ["example", "https://n5.example", "n5.example.", "n5.example:443", "a@n5.example", "n5 .example", "1.2.3.4",
     "n5..example", "-n5.example", "x" * 64 + ".example"],
)  # fmt: skip
def test_what_is_no_domain_is_invalid_domain(hunter: Asking, name: str) -> None:
    assert hunter.search(name).error_id == (400, "invalid_domain")
    assert hunter.get("email-count", domain=name).error_id == (400, "invalid_domain")


def test_a_domain_whose_owner_asked_hunter_to_stop_is_invalid_domain(hunter: Asking) -> None:
    hunter.simulator.set_domain("stopped.example", Domain(size=12, refused=True))
    assert hunter.search("stopped.example").error_id == (400, "invalid_domain")
    assert hunter.get("email-count", domain="stopped.example").error_id == (400, "invalid_domain")


def test_upper_case_and_international_names_lead_to_one_domain(hunter: Asking) -> None:
    assert hunter.simulator.set_domain("Bücher.example", 3) == "xn--bcher-kva.example"
    expected = [person.value for person in truth("xn--bcher-kva.example", 3)]
    for name in ("bücher.example", "BÜCHER.Example", "xn--bcher-kva.example", "XN--BCHER-KVA.EXAMPLE"):
        assert hunter.search(name).emails == expected
        assert hunter.search(name).body["data"]["domain"] == "xn--bcher-kva.example"


def test_an_unknown_domain_answers_200_with_nulls_and_no_addresses(hunter: Asking) -> None:
    answer = hunter.search("nobody.example")
    assert (answer.emails, answer.results, answer.credits) == ([], 0, 0)
    data = answer.body["data"]
    assert data["domain"] == "nobody.example"
    assert {data[name] for name in ("organization", "pattern", "disposable", "webmail", "accept_all")} == {None}


def test_a_known_domain_may_be_empty(hunter: Asking) -> None:
    answer = hunter.search("n0.example")
    assert (answer.emails, answer.results, answer.credits) == ([], 0, 0)
    assert answer.body["data"]["organization"] is not None


@pytest.mark.parametrize("name", ["webmail.example", "post.example"])
def test_webmail_domains_are_marked_and_empty(hunter: Asking, name: str) -> None:
    hunter.simulator.set_domain("post.example", Domain(size=50, webmail=True))
    answer = hunter.search(name)
    assert answer.body["data"]["webmail"] is True
    assert (answer.emails, answer.results, answer.credits) == ([], 0, 0)


@pytest.mark.parametrize(("name", "size"), [("n7.example", 7), ("n250.example.com", 250), ("n0.test", 0)])
def test_the_first_label_may_tell_the_size(hunter: Asking, name: str, size: int) -> None:
    assert hunter.search(name).results == size


@pytest.mark.parametrize("name", ["n25001.example", "n.example", "n12x.example", "www.n5.example"])
def test_other_first_labels_tell_nothing(hunter: Asking, name: str) -> None:
    assert hunter.search(name).results == 0


def test_what_is_set_goes_before_what_the_name_tells(hunter: Asking) -> None:
    hunter.simulator.set_domain("n7.example", 3)
    assert hunter.search("n7.example").results == 3
    assert hunter.simulator.remove_domain("N7.example")
    assert hunter.search("n7.example").results == 7


def test_a_company_alone_leads_to_its_domain(hunter: Asking) -> None:
    hunter.simulator.set_domain("acme.test", Domain(size=4, organization="Acme & Sons"))
    assert hunter.get("domain-search", company="ACME & sons").body["data"]["domain"] == "acme.test"
    assert hunter.get("domain-search", company="N25").results == 25
    assert hunter.get("domain-search", company="Nobody Ltd.").body["data"]["domain"] == "nobody-ltd.example"


def test_a_domain_goes_before_a_company(hunter: Asking) -> None:
    assert hunter.get("domain-search", company="N25", domain="n7.example").results == 7


def test_meta_repeats_the_parameters(hunter: Asking) -> None:
    params = hunter.search("n25.example", department="it,alchemy").body["meta"]["params"]
    assert (params["domain"], params["department"], params["type"]) == ("n25.example", "it,alchemy", None)


def test_the_test_key_is_validated_and_gets_one_fixed_answer(hunter: Asking) -> None:
    one = hunter.search("n25.example", key=TEST_KEY)
    other = hunter.search("n900.example", key=TEST_KEY, offset=100, type="generic")
    assert one.body == other.body
    assert len(one.emails) == 5
    assert hunter.search("nonsense", key=TEST_KEY).error_id == (400, "invalid_domain")
    assert hunter.search("n25.example", key=TEST_KEY, seniority="x").error_id == (400, "invalid_seniority")
    assert hunter.get("email-count", key=TEST_KEY, domain="n25.example").body["data"]["total"] == 5
    assert hunter.get("account", key=TEST_KEY).body["data"]["plan_name"] == "Test"
    assert hunter.simulator.report().credits == 0


def test_email_count_counts_what_there_is(hunter: Asking) -> None:
    people = truth("n250.example", 250)
    data = hunter.get("email-count", domain="n250.example").body["data"]
    assert (data["total"], data["personal_emails"], data["generic_emails"]) == (250, 200, 50)
    assert data["department"]["it"] == sum(person.department == "it" for person in people)
    assert data["seniority"]["senior"] == sum(person.seniority == "senior" for person in people)


def test_email_count_takes_a_type_and_ignores_other_filters(hunter: Asking) -> None:
    count = hunter.get("email-count", domain="n250.example", type="generic", department="it").body["data"]
    assert (count["total"], count["personal_emails"]) == (50, 0)
    assert hunter.get("email-count", domain="n250.example", type="x").error_id == (400, "invalid_type")


def test_email_count_of_an_unknown_domain_is_zero(hunter: Asking) -> None:
    assert hunter.get("email-count", domain="nobody.example").body["data"]["total"] == 0
