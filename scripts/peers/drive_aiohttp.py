"""aiohttp alone: as many at once as its connections are by default (100), nothing limited, nothing tried again."""

import aiohttp

from driving import all_of, drive


async def run(task):
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer none"}) as session:

        async def send(body):
            async with session.post(f"{task.url}/chat/completions", json=body) as response:
                response.raise_for_status()
                return await response.json()

        return await all_of(send(body) for body in task.bodies)


drive(run)
