"""The plain training loop that loss curves of encoders and encoder-decoders are compared with: transformers' model, torch's
AdamW, hone's order of rows, float32, no dropout."""
import torch
from trl_letters import numbers, shuffled, stream_key

SEED, STEPS, BATCH, ROWS, LEARNING_RATE = 7, 50, 8, 40, 1e-3


def padded(rows, value=0):
    longest = max(len(row) for row in rows)
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])


def order(stage):
    key, rows = stream_key(SEED, "rows/" + stage), []
    while len(rows) < STEPS * BATCH:
        rows += shuffled(ROWS, key, len(rows) // ROWS, 0)
    return [rows[i:i + BATCH] for i in range(0, STEPS * BATCH, BATCH)]


def train(model, stage, loss_of, learning_rate=LEARNING_RATE):
    """loss_of(model, rows) of each step; returns what hone reports of it."""
    model.eval()
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, eps=1e-8, weight_decay=0.0)
    losses, norms = [], []
    for rows in order(stage):
        optimizer.zero_grad()
        loss = loss_of(model, rows)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0))
        optimizer.step()
        losses.append(loss.detach())
    return {"loss": numbers(losses), "grad_norm": numbers(norms)}


def settings(learning_rate=LEARNING_RATE):
    return {"seed": SEED, "steps": STEPS, "batch": BATCH, "learning_rate": learning_rate}
