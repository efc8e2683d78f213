"""token-throttle in memory around openai-python: reserves before a call, settles after it, is told the limits."""

from openai import AsyncOpenAI
from token_throttle import MemoryBackendBuilder, OpenAIUsageCounter, PerModelConfig, Quota, RateLimiter, UsageQuotas

from driving import all_of, drive


async def run(task):
    quotas = [
        Quota(metric="requests", limit=task.requests_per_minute, per_seconds=60),
        Quota(metric="tokens", limit=task.tokens_per_minute, per_seconds=60),
    ]
    config = PerModelConfig(quotas=UsageQuotas(quotas), usage_counter=OpenAIUsageCounter())
    limiter = RateLimiter(config, backend=MemoryBackendBuilder())
    async with AsyncOpenAI(base_url=task.url, api_key="none", max_retries=10) as client:

        async def send(body):
            reservation = await limiter.acquire_capacity_for_request(**body)
            try:
                response = await client.chat.completions.create(**body)
            except Exception:
                await limiter.refund_capacity(reservation=reservation, actual_usage={"requests": 1, "tokens": 0})
                raise
            await limiter.refund_capacity_from_response(reservation, response)

        try:
            return await all_of(send(body) for body in task.bodies)
        finally:
            await limiter.aclose()


drive(run)
