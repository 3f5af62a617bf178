"""What runs inside a worker: the user's model behind GET /ping and POST /invocations.

It imports nothing of the server, and numpy only when a default handler needs it.
"""
