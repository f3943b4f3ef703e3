"""The table of commands: a row names a command, its help, and the function to import when it is named."""

from typing import NamedTuple

GROUPS = {
    "stack": "Run the platform on this machine: Kafka, MongoDB, mail, four services.",
    "deploy": "Make what a deployment needs.",
    "mongodb": "Make the replica set and its users.",
    "users": "Make the users of Kafka.",
    "rotate": "Replace passwords, certificates and keys.",
    "backup": "Back up MongoDB, and apart from it what is in no export.",
    "topics": "Make the topics of Kafka.",
    "indexes": "Create the collections and indexes of the services.",
    "import": "Load records.",
    "audit": "Export the record, and verify it offline.",
    "dead-letters": "Read dead letters, replay them, or dismiss them.",
    "privacy": "Show what is held about a person, and erase a person.",
}


class Row(NamedTuple):
    """A command; `help` is the first paragraph of its function's docstring."""

    command: str
    help: str
    target: str

    @property
    def words(self) -> list[str]:
        """The command as it is typed: its group, if it is in one, and its name."""
        return self.command.split()


COMMANDS = (
    Row(
        "stack up",
        "Start everything and keep it running until Ctrl-C, or `throughline stack down` from another terminal.",
        "tools.cli.stack:up",
    ),
    Row(
        "stack down",
        "Stop the stack that another terminal runs, and processes that a crash left behind.",
        "tools.cli.stack:down",
    ),
    Row("stack status", "Show what is up.", "tools.cli.stack:status"),
    Row(
        "console",
        "Run the web console alone: by THROUGHLINE_CONSOLE_… in the environment, else for a local stack.",
        "tools.cli.console:console",
    ),
    Row(
        "doctor",
        "Look at a deployment from outside and from within, and say what is wrong; nothing is changed.",
        "tools.cli.doctor:doctor",
    ),
    Row(
        "deploy init",
        "Make the passwords, keys and certificates of a deployment: what is there stays, what is missing is made.",
        "tools.cli.deploy:init",
    ),
    Row(
        "mongodb ensure",
        "Initiate a replica set of one member, make its administrator and the services' users; it can be run again.",
        "tools.cli.mongodb:ensure",
    ),
    Row(
        "topics ensure",
        "Create the topics of deploy/topics.yaml that are missing, and name each that differs; it can be run again.",
        "tools.cli.topics:ensure",
    ),
    Row(
        "users ensure",
        "Make the users of Kafka and their rights, as deploy/kafka.yaml declares them; it can be run again.",
        "tools.cli.users:ensure",
    ),
    Row(
        "rotate kafka",
        "Replace passwords of Kafka's users by generated ones; then restart the services that use them.",
        "tools.cli.rotate:kafka",
    ),
    Row(
        "rotate mongodb",
        "Replace passwords of users in MongoDB by generated ones; then restart the services of these names.",
        "tools.cli.rotate:mongodb",
    ),
    Row(
        "rotate certificates",
        "Give each server another key and certificate, for the names of the present one; then restart the servers.",
        "tools.cli.rotate_files:certificates",
    ),
    Row(
        "rotate authority",
        "Replace the authority of the servers' certificates in steps, at each of which clients and servers trust.",
        "tools.cli.rotate_files:authority",
    ),
    Row(
        "rotate kafka-administrator",
        "Replace the passwords of Kafka's administrator and of its brokers; then restart all brokers together.",
        "tools.cli.rotate_files:kafka_administrator",
    ),
    Row(
        "rotate mongodb-key",
        "Replace the key by which MongoDB's members know each other, in two steps.",
        "tools.cli.rotate_files:mongodb_key",
    ),
    Row(
        "rotate console-keys",
        "Replace the key of the console's cookies, in two steps: nobody is signed out.",
        "tools.cli.rotate_files:console_keys",
    ),
    Row(
        "backup hold",
        "Hold MongoDB still while a command copies its data folder, or snapshots its volume.",
        "tools.cli.backup:hold",
    ),
    Row("backup release", "Release a MongoDB that a killed backup left held.", "tools.cli.backup:release"),
    Row(
        "backup save",
        "Save what no export and no topic holds: the keys of persons and the list of staff, or uploaded documents.",
        "tools.cli.backup:save",
    ),
    Row(
        "backup load",
        "Load what was saved apart, into databases that lack it: before any service starts.",
        "tools.cli.backup:load",
    ),
    Row(
        "indexes ensure",
        "Create the collections and indexes of the services that are missing: run it before a new version starts.",
        "tools.cli.indexes:ensure",
    ),
    Row(
        "deploy kubernetes",
        "Make what deploy/ declares into resources of Kubernetes operators: topics, users, rights, alerts.",
        "tools.cli.deploy_kubernetes:make",
    ),
    Row("token", "Print a token for a role, signed with the key of a local stack.", "tools.cli.token:token"),
    Row(
        "import record",
        "Load a record: any error in the file sends nothing, a row that is on record is left as it is.",
        "tools.cli.import_record:record",
    ),
    Row(
        "void",
        "Void an event that should not have been recorded, a correction, or a void; the history keeps it.",
        "tools.cli.void:void",
    ),
    Row(
        "trace",
        "Show the trace of a recommendation: mandates, work, what the Committee did, what followed, what is missing.",
        "tools.cli.trace:trace",
    ),
    Row("traces", "List the traces, filtered.", "tools.cli.traces:traces"),
    Row(
        "coverage",
        "Show coverage both ways: what rests on each provision, and how far the thread of each recommendation reaches.",
        "tools.cli.coverage:coverage",
    ),
    Row(
        "rebuild",
        "Fold and compose everything again from the journal, in place and under live writes.",
        "tools.cli.rebuild:rebuild",
    ),
    Row(
        "replay",
        "Rebuild every trace in memory from the whole history, and compare it with the live one.",
        "tools.cli.replay:replay",
    ),
    Row(
        "refill",
        "Fill a service's store and ledger up from its topic, after an older backup of its database was restored.",
        "tools.cli.refill:refill",
    ),
    Row(
        "republish",
        "Publish a service's whole ledger again, after Kafka lost its topic or a part of it.",
        "tools.cli.republish:republish",
    ),
    Row(
        "restore",
        "Restore all services from an export, when MongoDB and Kafka are both lost.",
        "tools.cli.restore:restore",
    ),
    Row(
        "simulate",
        "Make a synthetic history, through the services' own decisions, and load it. Nothing in it is a fact.",
        "tools.cli.simulate:simulate",
    ),
    Row(
        "audit keygen",
        "Make a key that signs a log, or that a witness vouches with; print its public part.",
        "tools.cli.audit.keygen:keygen",
    ),
    Row(
        "audit export",
        "Write the record into a folder that is verified offline, or append what is new.",
        "tools.cli.audit.export:export",
    ),
    Row(
        "audit verify",
        "Verify an export offline: signatures, trees, checkpoints, the chain of every stream, schemas, links.",
        "tools.cli.audit.verify:verify",
    ),
    Row(
        "audit witness",
        "Cosign the newest checkpoints of an export, each where it continues what this witness saw before.",
        "tools.cli.audit.witness:witness",
    ),
    Row(
        "audit replay",
        "Rebuild every trace and the roster from a bundle alone: no Kafka, no database, no service.",
        "tools.cli.audit.replay:replay",
    ),
    Row(
        "audit compare",
        "Rebuild every trace from a bundle, and compare it with the digests in it and with the live ones.",
        "tools.cli.audit.compare:compare",
    ),
    Row(
        "audit diff", "Describe what changed in each trace between two times of recording.", "tools.cli.audit.diff:diff"
    ),
    Row(
        "audit prove",
        "Prove one trace: every event that it rests on, with the proof that it lies under a signed checkpoint.",
        "tools.cli.audit.prove:prove",
    ),
    Row(
        "audit verify-proof",
        "Check a proof with nothing but the file: signatures, inclusion of every event, chains, and the trace itself.",
        "tools.cli.audit.verify_proof:verify_proof",
    ),
    Row(
        "unsigned",
        "List the events that services consumed before records were signed, and that no proof covers yet.",
        "tools.cli.unsigned:unsigned",
    ),
    Row(
        "stalled",
        "List the stalled streams, each with the reason: what is missing, or why an event cannot be taken.",
        "tools.cli.stalled:stalled",
    ),
    Row(
        "ahead",
        "List the streams whose last event is dated later than the clock of their database, with that time.",
        "tools.cli.ahead:ahead",
    ),
    Row("dead-letters list", "List the dead letters.", "tools.cli.dead_letters:list_dead_letters"),
    Row(
        "dead-letters show",
        "Show one dead letter as JSON; its bytes only to an auditor or the secretariat, for they may be personal.",
        "tools.cli.dead_letters:show",
    ),
    Row(
        "dead-letters replay",
        "Consume a dead letter again, byte for byte: once newer code can read it, or as the true candidate of two.",
        "tools.cli.dead_letters:replay",
    ),
    Row(
        "dead-letters dismiss",
        "Close a dead letter without consuming it; its bytes are kept.",
        "tools.cli.dead_letters:dismiss",
    ),
    Row(
        "privacy erase",
        "Destroy the key that opens a person's name and contact, for good, and record that it was done.",
        "tools.cli.privacy:erase",
    ),
    Row(
        "privacy export",
        "Show everything that is held about a person, sealed fields opened: the answer to a subject access request.",
        "tools.cli.privacy:export",
    ),
)
