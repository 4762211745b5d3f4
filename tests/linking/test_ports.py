"""Calls through abstract classes and interfaces."""

from __future__ import annotations

from tests.linking.conftest import Link


def test_a_call_through_a_port_reaches_the_class_behind_it(linked: Link) -> None:
    tree = linked(
        {
            "port.ts": "export abstract class Mailer { abstract send(): Promise<void>; }",
            "smtp.ts": (
                "import { Mailer } from './port'; export class Smtp extends Mailer { async send() { deliver(); } }"
            ),
            "job.ts": (
                "import { Mailer } from './port'; export class Job { constructor(private mailer: Mailer) "
                "{} async run() { await this.mailer.send(); } }"
            ),
        }
    )

    assert "deliver" in tree.events("job.ts", "Job.run", of="Job")


def test_a_call_through_an_interface_reaches_the_class_behind_it(linked: Link) -> None:
    tree = linked(
        {
            "port.ts": "export interface Mailer { send(): Promise<void>; }",
            "smtp.ts": (
                "import type { Mailer } from './port'; export class Smtp implements Mailer { async send() "
                "{ deliver(); } }"
            ),
            "job.ts": (
                "import type { Mailer } from './port'; export class Job { constructor(private mailer: "
                "Mailer) {} async run() { await this.mailer.send(); } }"
            ),
        }
    )

    assert "deliver" in tree.events("job.ts", "Job.run", of="Job")
