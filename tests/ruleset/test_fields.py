from __future__ import annotations

from cronaudit.ruleset.fields import FieldType, Kind, documented_fields, field_types, group_docs


def test_types_come_from_the_annotations() -> None:
    found = field_types()
    assert found["lock"]["ttl_seconds"] == FieldType(Kind.NUMBER, optional=True)
    assert found["lock"]["key"] == FieldType(Kind.TEXT, optional=True)
    assert found["lock"]["fail_open"] == FieldType(Kind.BOOL)
    assert found["effects"]["changes"] == FieldType(Kind.WORDS, words=("writes", "outgoing", "none"))
    assert found["service"]["tests"] == FieldType(Kind.BOOL)


def test_types_read_as_words() -> None:
    assert str(FieldType(Kind.NUMBER, optional=True)) == "a number, or none"
    assert str(FieldType(Kind.BOOL)) == "yes or no"
    assert str(FieldType(Kind.WORDS, words=("a", "b"))) == "`a`, `b`"


def test_every_field_and_group_is_documented() -> None:
    assert [f"{field.group}.{field.name}" for field in documented_fields() if not field.doc] == []
    assert [group for group in field_types() if not group_docs()[group]] == []


def test_a_doc_is_the_text_under_the_field() -> None:
    docs = {f"{field.group}.{field.name}": field.doc for field in documented_fields()}
    assert docs["lock.fail_open"] == "Whether the job proceeds when the store is down."
    assert docs["schedule.dst_date"] == "The next date on which a run is skipped or doubled."
