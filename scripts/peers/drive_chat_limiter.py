"""The Python chat-limiter: its batch with its own defaults, told the limits or left to find them."""

from chat_limiter import (
    BatchConfig,
    ChatCompletionRequest,
    ChatLimiter,
    Message,
    MessageRole,
    Provider,
    process_chat_completion_batch,
)

from driving import drive


async def run(task):
    told = dict(request_limit=task.requests_per_minute, token_limit=task.tokens_per_minute) if task.told else {}
    requests = [
        ChatCompletionRequest(
            model=body["model"],
            messages=[Message(role=MessageRole.USER, content=message["content"]) for message in body["messages"]],
            max_tokens=body["max_tokens"],
        )
        for body in task.bodies
    ]
    async with ChatLimiter(provider=Provider.OPENAI, api_key="none", base_url=task.url, **told) as limiter:
        results = await process_chat_completion_batch(limiter, requests, BatchConfig(show_progress=False))
    return sum(result.success for result in results)


drive(run)
