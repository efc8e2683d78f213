"""lionagi: one model object that is told the limits; everything is given to it at once."""

from lionagi import iModel

from driving import all_of, drive


async def run(task):
    model = iModel(
        provider="openai",
        base_url=task.url,
        model=task.bodies[0]["model"],
        api_key="none",
        allow_local_network=True,
        limit_requests=task.requests_per_minute,
        limit_tokens=task.tokens_per_minute,
    )

    async def send(body):
        call = await model.invoke(messages=body["messages"], max_tokens=body["max_tokens"])
        if not call.response:
            raise RuntimeError(f"{call.status}: {call.execution.error}")

    try:
        return await all_of(send(body) for body in task.bodies)
    finally:
        await model.close()


drive(run)
