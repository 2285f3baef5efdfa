"""ACLs of a test cluster, set as an operator's tool would: aiokafka speaks the protocol and has no call for it."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest

from agents.connection import client_options
from agents.settings import Settings

TOPIC, GROUP = 2, 3
READ, WRITE, DESCRIBE, DESCRIBE_CONFIGS = 3, 4, 8, 10
_LITERAL = 3
_ALLOW = 3


async def allow(admin: Settings, user: str, kind: int, name: str, *operations: int) -> None:
    """Let the user do this with the resource of this kind and name."""
    client = AIOKafkaAdminClient(**client_options(admin))
    await client.start()
    try:
        for operation in operations:
            request = CreateAclsRequest(kind, name, _LITERAL, f"User:{user}", "*", operation, _ALLOW)
            response = await client._send_request(request)
            assert [code for code, *_ in response.creation_responses] == [0], response
    finally:
        await client.close()
