from __future__ import annotations

from functools import cache

import pytest
from scene_mutations import FAULTS, SOUND, Case

from drivesim.scenario.checks import Finding, check_scene


@cache
def alarms(number: int, sound: bool) -> tuple[Finding, ...]:
    case = (SOUND if sound else FAULTS)[number]
    return tuple(f for f in check_scene(case.make(), **case.options) if f.severity != "note")


def is_found(case: Case, found: tuple[Finding, ...]) -> bool:
    return any(f.kind == case.kind and case.actor in ("", f.actor, f.other) for f in found)


def outcomes() -> tuple[list[bool], list[bool]]:
    found = [is_found(case, alarms(number, False)) for number, case in enumerate(FAULTS)]
    false = [bool(alarms(number, True)) for number in range(len(SOUND))]
    return found, false


def test_at_least_forty_scenes_of_each_sort_with_names_of_their_own():
    names = [case.name for case in (*FAULTS, *SOUND)]
    assert len(FAULTS) >= 40 and len(SOUND) >= 40 and len(set(names)) == len(names)


def test_nearly_all_faults_are_found_and_sound_scenes_raise_no_alarm():
    found, false = outcomes()
    kinds = list(dict.fromkeys(case.kind for case in FAULTS))
    print(f"\n{'planted fault':22s}{'scenes':>8s}{'found':>8s}{'missed':>8s}")
    for kind in kinds:
        hits = [hit for hit, case in zip(found, FAULTS, strict=True) if case.kind == kind]
        print(f"{kind:22s}{len(hits):8d}{sum(hits):8d}{len(hits) - sum(hits):8d}")
    print(f"{'all':22s}{len(found):8d}{sum(found):8d}{len(found) - sum(found):8d}")
    print(f"{'sound scenes':22s}{len(false):8d}   false alarms {sum(false)} ({sum(false) / len(false):.1%})")
    missed = [case.name for hit, case in zip(found, FAULTS, strict=True) if not hit]
    wrong = [f"{SOUND[i].name}: {f.sentence}" for i, bad in enumerate(false) if bad for f in alarms(i, True)]
    print("missed:", ", ".join(missed) or "none")
    print("false alarms:", "; ".join(wrong) or "none")
    assert sum(found) >= 0.95 * len(found)
    assert sum(false) <= 0.02 * len(false)


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[case.name for case in FAULTS])
def test_a_faulty_scene_raises_no_alarm_about_those_who_do_nothing(number):
    case = FAULTS[number]
    quiet = {"lead car", "oncoming car", "oncoming lorry", "cyclist", "cone"} - {case.actor}
    assert not [f for f in alarms(number, False) if f.actor in quiet and f.kind != case.kind]
