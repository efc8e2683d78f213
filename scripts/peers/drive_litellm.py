"""LiteLLM's router with one deployment that is told the limits and asked to keep them: 50 at once, each tried again up to 10 times."""

import asyncio

from litellm import Router

from driving import all_of, drive

CONCURRENT = 50


async def run(task):
    model = task.bodies[0]["model"]
    deployment = dict(
        model=f"openai/{model}",
        api_base=task.url,
        api_key="none",
        rpm=task.requests_per_minute,
        tpm=task.tokens_per_minute,
    )
    router = Router(
        model_list=[dict(model_name=model, litellm_params=deployment)],
        optional_pre_call_checks=["enforce_model_rate_limits"],
        num_retries=10,
    )
    places = asyncio.Semaphore(CONCURRENT)

    async def send(body):
        async with places:
            return await router.acompletion(**body)

    return await all_of(send(body) for body in task.bodies)


drive(run)
