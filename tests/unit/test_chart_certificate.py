"""The chart's part in the certificate of the intake: who keeps it, and who may touch it."""

from unit.chart import Helm, Json, of_kind
from unit.test_chart import environment


def certificate_rights(objects: list[Json]) -> list[Json]:
    return [rule for role in of_kind(objects, "Role") for rule in role["rules"] if "secrets" in rule["resources"]]


def test_the_certificates_secret_is_shipped_empty_and_stays_for_collectors_that_outlive_the_release(helm: Helm) -> None:
    (secret,) = of_kind(helm.template(), "Secret")
    assert secret["metadata"]["name"] == "nh-novahunt-certificate"
    assert secret.keys() == {"apiVersion", "kind", "metadata", "type"}
    assert secret["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_a_certificate_that_somebody_else_keeps_is_only_read(helm: Helm) -> None:
    objects = helm.template("intake.tls.secretName=ours")
    assert of_kind(objects, "Secret") == []
    assert [(rule["resourceNames"], rule["verbs"]) for rule in certificate_rights(objects)] == [(["ours"], ["get"])]
    told = environment(objects)
    assert (told["NOVAHUNT_CERTIFICATE_SECRET"], told["NOVAHUNT_CERTIFICATE_EXTERNAL"]) == ("ours", "true")


def test_cert_manager_makes_it_for_the_address_that_the_operator_hands_out(helm: Helm) -> None:
    objects = helm.template("intake.tls.certManager.enabled=true", "intake.tls.certManager.issuerRef.name=ca")
    (made,) = of_kind(objects, "Certificate")
    told = environment(objects)
    assert made["spec"]["secretName"] == told["NOVAHUNT_CERTIFICATE_SECRET"]
    assert made["spec"]["dnsNames"] == [told["NOVAHUNT_INTAKE_URL"].removeprefix("https://").partition(":")[0]]
    assert [rule["verbs"] for rule in certificate_rights(objects)] == [["get"]]
    assert of_kind(objects, "Secret") == []


def test_cert_managers_secret_is_never_the_charts_so_that_one_may_follow_the_other(helm: Helm) -> None:
    (own,) = of_kind(helm.template(), "Secret")
    objects = helm.template("intake.tls.certManager.enabled=true", "intake.tls.certManager.issuerRef.name=ca")
    assert of_kind(objects, "Certificate")[0]["spec"]["secretName"] != own["metadata"]["name"]


def test_cert_manager_without_an_issuer_is_refused(helm: Helm) -> None:
    for key, values in (("intake", ()), ("gateway", GATEWAY)):
        manager = f"{key}.tls.certManager"
        for issuer in ((), (f"{manager}.issuerRef.kind=ClusterIssuer",)):
            refusal = helm.refusal(*values, f"{manager}.enabled=true", *issuer)
            assert f"{manager}.issuerRef must name an issuer" in refusal


def test_without_tls_there_is_no_certificate_and_no_right_on_secrets(helm: Helm) -> None:
    objects = helm.template("intake.tls.enabled=false")
    assert environment(objects)["NOVAHUNT_INTAKE_URL"].startswith("http://")
    assert (of_kind(objects, "Secret"), certificate_rights(objects)) == ([], [])


GATEWAY = ("gateway.enabled=true", "gateway.authentication=kubernetes")


def gateway_pod(objects: list[Json]) -> Json:
    (found,) = (one for one in of_kind(objects, "Deployment") if one["metadata"]["name"].endswith("-gateway"))
    spec = found["spec"]["template"]["spec"]
    assert isinstance(spec, dict)
    return spec


def gateway_certificate(objects: list[Json]) -> tuple[str, list[str]]:
    """Return the Secret that the gateway mounts, and which of its keys."""
    (volume,) = (one for one in gateway_pod(objects)["volumes"] if one["name"] == "certificate")
    items = volume["secret"]["items"]
    assert [item["path"] for item in items] == ["tls.crt", "tls.key"]
    return volume["secret"]["secretName"], [item["key"] for item in items]


def operator_environment(objects: list[Json]) -> dict[str, str]:
    return environment([one for one in objects if not one["metadata"]["name"].endswith("-gateway")])


def test_the_gateway_mounts_its_own_pair_of_the_operators_secret_and_not_what_signs(helm: Helm) -> None:
    objects = helm.template(*GATEWAY, "gateway.tls.hosts={leads.example.com}")
    assert gateway_certificate(objects) == ("nh-novahunt-certificate", ["gateway.crt", "gateway.key"])
    hosts = operator_environment(objects)["NOVAHUNT_CERTIFICATE_GATEWAY_HOSTS"].split(",")
    assert {"nh-novahunt-gateway.novahunt.svc", "localhost", "leads.example.com"} <= set(hosts)


def test_the_gateway_takes_a_certificate_of_others(helm: Helm) -> None:
    objects = helm.template(*GATEWAY, "gateway.tls.secretName=ours")
    assert gateway_certificate(objects) == ("ours", ["tls.crt", "tls.key"])
    assert operator_environment(objects)["NOVAHUNT_CERTIFICATE_GATEWAY_HOSTS"] == ""


def test_cert_manager_makes_the_gateways(helm: Helm) -> None:
    manager = ("gateway.tls.certManager.enabled=true", "gateway.tls.certManager.issuerRef.name=ca")
    objects = helm.template(*GATEWAY, *manager, "gateway.tls.hosts={leads.example.com}")
    (made,) = of_kind(objects, "Certificate")
    assert gateway_certificate(objects) == (made["spec"]["secretName"], ["tls.crt", "tls.key"])
    assert "leads.example.com" in made["spec"]["dnsNames"]


def test_a_gateway_that_can_have_no_certificate_of_the_operators_is_refused_with_the_way_out(helm: Helm) -> None:
    elsewhere = helm.refusal(*GATEWAY, "gateway.namespace=sales", "watchNamespaces={sales}")
    assert "namespace sales" in elsewhere
    assert "gateway.tls.secretName" in elsewhere
    assert "gateway.tls.enabled=false" in elsewhere
    assert "intake.tls.enabled" in helm.refusal(*GATEWAY, "intake.tls.enabled=false")
    assert "set one of them" in helm.refusal(
        *GATEWAY, "gateway.tls.secretName=a", "gateway.tls.certManager.enabled=true"
    )


def test_without_tls_the_gateway_mounts_no_certificate(helm: Helm) -> None:
    objects = helm.template(*GATEWAY, "gateway.tls.enabled=false")
    assert operator_environment(objects)["NOVAHUNT_CERTIFICATE_GATEWAY_HOSTS"] == ""
    assert [one["name"] for one in gateway_pod(objects)["volumes"] if one["name"] == "certificate"] == []
