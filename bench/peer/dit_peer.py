"""A plain-PyTorch diffusion transformer (Peebles and Xie 2022), timed beside ours, or with sd15, sd21 and sdxl the U-Net of the
diffusers library. Needs torch only, for U-Nets diffusers as well; no dependency of the build.

Server: reads one line of JSON a command on stdin, answers one line of JSON on stdout; started by BenchMain
with the device as its argument, cpu or cuda:N.
  {"op": "open", "model": "S/2", "batch": 8, "kind": "train", "precision": "bf16", "compile": false}
  {"op": "run", "count": 1}      -> {"seconds": [...], "loss": ...}
  {"op": "close"} / {"op": "quit"}
By hand: python dit_peer.py cpu S/2 8 train bf16 [compile]
"""

import json
import math
import resource
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {"S": (12, 384, 6), "B": (12, 768, 12), "L": (24, 1024, 16), "XL": (28, 1152, 16)}


def modulate(x, shift, scale):
    return x * (1 + scale) + shift


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, t, d))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)
        self.adaln = nn.Linear(width, 6 * width)

    def forward(self, x, act):
        s1, c1, g1, s2, c2, g2 = self.adaln(act).unsqueeze(1).chunk(6, dim=-1)
        x = x + g1 * self.attn(modulate(self.norm1(x), s1, c1))
        return x + g2 * self.fc2(F.gelu(self.fc1(modulate(self.norm2(x), s2, c2)), approximate="tanh"))


class DiT(nn.Module):
    """S/2: latents (N, 4, 32, 32) -> noise and variance (N, 8, 32, 32); 8x256x4/4@1x28: pictures (N, 1, 28, 28) -> as many."""

    def __init__(self, name):
        super().__init__()
        name, _, pictures = name.partition("@")
        size, patch = name.split("/")
        depth, width, heads = SIZES[size] if size in SIZES else map(int, size.split("x"))
        self.channels, self.side = map(int, (pictures or "4x32").split("x"))
        self.classes = 10 if pictures else 1000
        self.out = self.channels if pictures else 2 * self.channels
        side, classes = self.side, self.classes
        self.patch, self.grid, self.width = int(patch), side // int(patch), width
        self.embed = nn.Conv2d(self.channels, width, self.patch, self.patch)
        self.time = nn.Sequential(nn.Linear(256, width), nn.SiLU(), nn.Linear(width, width))
        self.label = nn.Embedding(classes + 1, width)
        self.register_buffer("positions", self.table())
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.adaln = nn.Linear(width, 2 * width)
        self.last = nn.Linear(width, self.patch**2 * self.out)

    def table(self):
        at = torch.arange(self.grid, dtype=torch.float64)
        freq = 10000.0 ** (-torch.arange(self.width // 4, dtype=torch.float64) / (self.width // 4))

        def half(p):
            return torch.cat([torch.sin(p[:, None] * freq), torch.cos(p[:, None] * freq)], 1)

        row, col = at.repeat_interleave(self.grid), at.repeat(self.grid)
        return torch.cat([half(col), half(row)], 1).float()[None]

    def forward(self, x, t, y):
        n, p, g = x.shape[0], self.patch, self.grid
        h = self.embed(x).flatten(2).transpose(1, 2) + self.positions.to(x.dtype)
        freq = torch.exp(-math.log(10000) * torch.arange(128, dtype=torch.float32, device=x.device) / 128)
        angle = t[:, None].float() * freq
        features = torch.cat([angle.cos(), angle.sin()], 1).to(self.time[0].weight.dtype)
        act = F.silu(self.time(features) + self.label(y))
        for block in self.blocks:
            h = block(h, act)
        shift, scale = self.adaln(act).unsqueeze(1).chunk(2, dim=-1)
        out = self.last(modulate(self.norm(h), shift, scale))
        return out.view(n, g, g, p, p, self.out).permute(0, 5, 1, 3, 2, 4).reshape(n, self.out, g * p, g * p)


class UNet(nn.Module):
    """diffusers' UNet2DConditionModel of a published size, on the latents of 512 pixels."""

    SIZES = {
        "sd15": dict(cross_attention_dim=768, attention_head_dim=8),
        "sd21": dict(cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True),
        "sdxl": dict(
            cross_attention_dim=2048,
            attention_head_dim=[5, 10, 20],
            use_linear_projection=True,
            block_out_channels=[320, 640, 1280],
            down_block_types=["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
            up_block_types=["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
            transformer_layers_per_block=[1, 2, 10],
            addition_embed_type="text_time",
            addition_time_embed_dim=256,
            projection_class_embeddings_input_dim=2816,
        ),
    }

    def __init__(self, name, bf16):
        super().__init__()
        from diffusers import UNet2DConditionModel

        torch.set_default_dtype(torch.bfloat16 if bf16 else torch.float32)  # so that weights never exist in fp32 as well
        self.net = UNet2DConditionModel(sample_size=64, **self.SIZES[name])
        torch.set_default_dtype(torch.float32)
        self.channels, self.side, self.classes = 4, 64, 1
        self.width, self.xl = self.SIZES[name]["cross_attention_dim"], name == "sdxl"
        self.told = None

    def forward(self, x, t, y):
        if self.told is None:
            n = x.shape[0]
            more = {"text_embeds": torch.randn(n, 1280, dtype=x.dtype), "time_ids": torch.full((n, 6), 512, dtype=x.dtype)}
            self.told = torch.randn(n, 77, self.width, dtype=x.dtype), more if self.xl else None
        return self.net(x, t, self.told[0], added_cond_kwargs=self.told[1]).sample


class Case:
    def __init__(self, device, model, batch, kind, precision, compiled):
        torch.manual_seed(0)
        self.device = torch.device(device)
        self.train, self.bf16 = kind == "train", precision == "bf16"
        self.net = (UNet(model, self.bf16 and not self.train) if model in UNet.SIZES else DiT(model)).to(self.device)
        shape = (batch, self.net.channels, self.net.side, self.net.side)
        self.x, self.noise = torch.randn(shape), torch.randn(shape)
        self.t, self.y = torch.randint(0, 1000, (batch,)), torch.randint(0, self.net.classes, (batch,))
        self.x, self.noise, self.t, self.y = (v.to(self.device) for v in (self.x, self.noise, self.t, self.y))
        if self.train:
            self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=1e-4, fused=True)
            self.average = [p.detach().clone() for p in self.net.parameters()]
        else:
            self.net.requires_grad_(False)
            if self.bf16:  # weights in bf16, no autocast: the fastest eager form
                self.net.to(torch.bfloat16)
        self.forward = torch.compile(self.net) if compiled else self.net
        self.step = self.train_step if self.train else self.sample_step

    def train_step(self):
        # Flow matching's plain regression: noise both input and goal, so the cost is the network's alone.
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            out = self.forward(self.x, self.t, self.y)
        loss = (out[:, : self.noise.shape[1]].float() - self.noise).square().mean()
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        torch._foreach_lerp_(self.average, list(self.net.parameters()), 1e-4)
        return loss.item()

    @torch.no_grad()
    def sample_step(self):
        out = self.forward(self.x.bfloat16() if self.bf16 else self.x, self.t, self.y)[:, : self.noise.shape[1]].float()
        self.x = self.x + 0.0 * out  # an Euler step of length zero: the input stays a usable one
        return out.abs().mean().item()

    def run(self, count):
        seconds, cpu, value = [], [], 0.0
        for _ in range(count):
            start, used = time.perf_counter(), time.process_time()
            value = self.step()
            seconds.append(time.perf_counter() - start)
            cpu.append(time.process_time() - used)
        if self.device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(self.device) / 2**20
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {"seconds": seconds, "cpu_seconds": cpu, "value": value, "peak_rss_mb": peak}


def serve(device):
    case = None
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    library = f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads"
    print(json.dumps({"library": library, "empty_rss_mb": rss}), flush=True)
    for line in sys.stdin:
        command = json.loads(line)
        try:
            if command["op"] == "open":
                case = Case(
                    device, command["model"], command["batch"], command["kind"], command["precision"], command["compile"]
                )
                answer = {"parameters": sum(p.numel() for p in case.net.parameters())}
            elif command["op"] == "run":
                answer = case.run(command["count"])
            elif command["op"] == "close":
                case, answer = None, {}
            else:
                break
        except Exception as e:  # told to the other side, which prints it beside the case
            answer = {"error": f"{type(e).__name__}: {str(e).splitlines()[0] if str(e) else ''}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 2:
        serve(sys.argv[1])
    else:
        chosen = Case(*sys.argv[1:3], int(sys.argv[3]), *sys.argv[4:6], "compile" in sys.argv[6:])
        chosen.run(2)
        print(json.dumps(chosen.run(5)))
