"""deploy/kubernetes: what refers to each other agrees, in each overlay and with each option."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from shared.runtime.process import LOOPS_GRACE_SECONDS, REQUESTS_GRACE_SECONDS
from tests.kubernetes.rendering import KUBERNETES, Object, Rendered, Workload, rendered
from tools.local.stack import ALL_FOUR

pytestmark = pytest.mark.xdist_group("kubernetes")
OURS = (*ALL_FOUR, "console")
UNITS = {"m": 1e-3, "": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
OPERATORS_MAKE = {"kafka-cluster-ca-cert": {"ca.crt"}, "mongodb-ca": {"ca.crt"}}


def quantity(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)([A-Za-z]*)", str(text)).groups()  # type: ignore[union-attr]
    return float(number) * UNITS[unit]


def selects(selector: Object, labels: dict[str, str]) -> bool:
    return bool(selector) and selector.items() <= labels.items()


def test_every_selector_finds_exactly_the_pods_of_its_name(objects: Rendered) -> None:
    for workload in objects.workloads:
        if workload.object["kind"] not in ("Job", "CronJob"):
            assert selects(workload.object["spec"]["selector"]["matchLabels"], workload.labels)
    for service in objects.of("Service"):
        chosen = [each for each in objects.workloads if selects(service["spec"]["selector"], each.labels)]
        assert [each.name for each in chosen] == [service["metadata"]["name"]]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in chosen[0].ports
            assert port["port"] == chosen[0].ports[port["targetPort"]]
    for budget in objects.of("PodDisruptionBudget"):
        chosen = [each for each in objects.workloads if selects(budget["spec"]["selector"]["matchLabels"], each.labels)]
        assert [each.name for each in chosen] == [budget["metadata"]["name"]]


def test_no_container_requests_more_than_its_limit(objects: Rendered) -> None:
    for workload in objects.workloads:
        for container in workload.containers:
            requests, limits = container["resources"]["requests"], container["resources"]["limits"]
            assert {"cpu", "memory"} <= requests.keys(), container["name"]
            assert quantity(requests["memory"]) <= quantity(limits["memory"]), container["name"]


def references(workload: Workload) -> Iterator[tuple[str, str, set[str]]]:
    """Yield the kind and name of each ConfigMap and Secret that a pod needs, and the keys that it names."""
    for container in workload.containers:
        for source in container.get("envFrom", ()):
            yield "ConfigMap", source["configMapRef"]["name"], set()
        for variable in container.get("env", ()):
            assert "secretKeyRef" not in variable.get("valueFrom", {}), "a secret is a file, no variable"
    for volume in workload.pod.get("volumes", ()):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"], set()
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"], set()
        for source in volume.get("projected", {}).get("sources", ()):
            yield "Secret", source["secret"]["name"], {item["key"] for item in source["secret"]["items"]}


def test_every_configmap_secret_and_key_that_is_used_exists(objects: Rendered) -> None:
    listed = {name: set(each["data"]) for name, each in rendered("local").named("Secret").items()} | OPERATORS_MAKE
    maps = objects.named("ConfigMap")
    for workload in objects.workloads:
        for kind, name, keys in references(workload):
            assert name in (maps if kind == "ConfigMap" else listed), f"{workload.name}: no {kind} {name}"
            assert keys <= (maps[name]["data"].keys() if kind == "ConfigMap" else listed[name])


def test_every_claim_that_a_pod_names_exists_and_is_its_own(objects: Rendered) -> None:
    named = [
        volume["persistentVolumeClaim"]["claimName"]
        for workload in objects.workloads
        for volume in workload.pod.get("volumes", ())
        if "persistentVolumeClaim" in volume
    ]
    assert sorted(named) == sorted(objects.named("PersistentVolumeClaim"))


def test_every_volume_that_is_mounted_is_there_and_every_volume_is_mounted(objects: Rendered) -> None:
    for workload in objects.workloads:
        volumes = {volume["name"] for volume in workload.pod.get("volumes", ())}
        volumes |= {each["metadata"]["name"] for each in workload.object["spec"].get("volumeClaimTemplates", ())}
        assert {mount["name"] for each in workload.containers for mount in each.get("volumeMounts", ())} == volumes


def test_every_pod_is_restricted_and_has_no_token_of_kubernetes(objects: Rendered) -> None:
    for workload in objects.workloads:
        pod = workload.pod
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False, "a Service named throughline would set THROUGHLINE_PORT"
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        assert all(volume.keys() & VOLUMES for volume in pod.get("volumes", ()))
        for container in workload.containers:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert "privileged" not in security
            assert security.get("readOnlyRootFilesystem") is True or workload.name == "kafka"


def test_secrets_are_not_readable_by_everybody(objects: Rendered) -> None:
    for workload in objects.workloads:
        for volume in workload.pod.get("volumes", ()):
            if volume["name"] in ("secrets", "passwords", "users"):
                mode = (volume.get("secret") or volume["projected"])["defaultMode"]
                assert mode == 0o440, f"{workload.name}: {volume['name']} has mode {mode:o}"


def test_every_image_has_a_tag_that_is_not_latest(objects: Rendered) -> None:
    for workload in objects.workloads:
        for container in workload.containers:
            tag = container["image"].rpartition("/")[2].partition(":")[2]
            assert tag, f"{container['image']} has no tag"
            assert not tag.startswith("latest")


def test_the_grace_is_longer_than_what_a_service_takes_to_end(objects: Rendered) -> None:
    for name in OURS:
        pod = objects.workload(name).pod
        pause = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pause >= 5, "requests go on for a while after a pod is asked to end"
        assert pod["terminationGracePeriodSeconds"] >= pause + REQUESTS_GRACE_SECONDS + LOOPS_GRACE_SECONDS


def test_a_drain_takes_one_pod_at_a_time_and_a_broken_pod_does_not_stop_it(objects: Rendered) -> None:
    budgets = objects.named("PodDisruptionBudget")
    assert budgets.keys() == set(OURS)
    for budget in budgets.values():
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_pods_spread_over_nodes_by_their_own_name(objects: Rendered) -> None:
    for name in OURS:
        workload = objects.workload(name)
        for constraint in workload.pod["topologySpreadConstraints"]:
            assert selects(constraint["labelSelector"]["matchLabels"], workload.labels)
            chosen = {**constraint["labelSelector"]["matchLabels"], **dict.fromkeys(constraint["matchLabelKeys"])}
            assert {"app.kubernetes.io/name", "pod-template-hash"} & chosen.keys()


def test_two_pods_of_a_service_never_share_the_name_of_an_instance(objects: Rendered) -> None:
    for name in ALL_FOUR:
        (variable,) = objects.workload(name).pod["containers"][0]["env"]
        assert variable["name"] == "THROUGHLINE_INSTANCE"
        assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


def test_an_upgrade_runs_the_jobs_again() -> None:
    now, later = rendered("production").named("Job"), rendered("production", "0.2.0").named("Job")
    assert set(now) == {"topics-v0.1.0", "kafka-users-v0.1.0", "indexes-v0.1.0"}
    assert set(later) == {"topics-v0.2.0", "kafka-users-v0.2.0", "indexes-v0.2.0"}


def test_a_setting_that_changes_leaves_the_template_of_a_job_as_it_is(objects: Rendered) -> None:
    for workload in objects.workloads:
        if workload.object["kind"] == "Job":
            names = {name for kind, name, _ in references(workload) if kind == "ConfigMap"}
            assert names <= {"job-settings"}, "a name with a hash would change a template that cannot be changed"


def test_what_a_statefulset_cannot_change_is_without_the_version(objects: Rendered) -> None:
    for each in objects.of("StatefulSet"):
        fixed = [each["spec"]["selector"]["matchLabels"]]
        fixed += [claim["metadata"].get("labels", {}) for claim in each["spec"].get("volumeClaimTemplates", ())]
        assert not any("app.kubernetes.io/version" in labels for labels in fixed)


def test_the_jobs_are_named_by_the_tag_of_their_image() -> None:
    for workload in rendered("production").workloads:
        if workload.object["kind"] == "Job":
            tag = workload.containers[0]["image"].rpartition(":")[2]
            assert workload.object["metadata"]["name"] == f"{workload.name}-v{tag}"


def test_mongod_runs_with_the_configuration_of_every_mongod_of_the_platform() -> None:
    deployed = (KUBERNETES.parent / "mongod.conf").read_text()
    assert (KUBERNETES / "overlays/local/mongod.conf").read_text() == deployed


def test_the_heap_of_kafka_is_half_of_its_limit_at_most() -> None:
    kafka = rendered("local").workload("kafka")
    heap = rendered("local").environment(kafka, kafka.containers[0])["KAFKA_HEAP_OPTS"]
    limit = quantity(kafka.containers[0]["resources"]["limits"]["memory"])
    assert quantity(re.search(r"-Xmx(\S+)", heap)[1].replace("m", "Mi")) <= limit / 2  # type: ignore[index]
    for pool in rendered("strimzi").of("KafkaNodePool"):
        size = pool["spec"]["jvmOptions"]["-Xmx"].replace("m", "Mi").replace("g", "Gi")
        assert quantity(size) <= quantity(pool["spec"]["resources"]["limits"]["memory"]) / 2
