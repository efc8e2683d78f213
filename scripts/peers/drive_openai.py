"""openai-python: 50 at once, each tried again up to 10 times by the client itself."""

import asyncio

from openai import AsyncOpenAI

from driving import all_of, drive

CONCURRENT = 50


async def run(task):
    places = asyncio.Semaphore(CONCURRENT)
    async with AsyncOpenAI(base_url=task.url, api_key="none", max_retries=10) as client:

        async def send(body):
            async with places:
                return await client.chat.completions.create(**body)

        return await all_of(send(body) for body in task.bodies)


drive(run)
