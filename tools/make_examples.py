"""Draws the media files of `examples/`; each run writes the same files.

The files contain no photographs, and texts use no font of the machine.

    python tools/make_examples.py

Shapes are drawn at twice the size and scaled down, which smooths their edges.
"""

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont

MEDIA = Path(__file__).resolve().parents[1] / "examples" / "media"

CREAM, NAVY, STEEL, COPPER, BRASS = "#f5efe3", "#1d3653", "#8fa3b5", "#c47a45", "#d9a84e"
RED, WATER, WOOD, WOOD_DARK, WHITE = "#c8452f", "#4f9fd0", "#d8b48a", "#b98d5c", "#ffffff"
NIGHT, MOON, CRUST, CRUST_DARK, CRUMB = "#1b2140", "#f1d28b", "#c9812f", "#8f5219", "#f4dcae"

Point = tuple[float, float]


class Sheet:
    """A picture to draw on. Coordinates are pixels of the final size."""

    def __init__(self, width: int, height: int, colour: str, detail: int = 2) -> None:
        self.detail = detail
        self.size = (width, height)
        self.image = Image.new("RGB", (width * detail, height * detail), colour)
        self._draw = ImageDraw.Draw(self.image)

    def _scaled(self, points: list[Point]) -> list[Point]:
        return [(x * self.detail, y * self.detail) for x, y in points]

    def box(self, x: float, y: float, w: float, h: float, fill: str, radius: float = 0) -> None:
        """Draw a rectangle, given its upper left corner and size, with round corners."""
        corners = self._scaled([(x, y), (x + w, y + h)])
        self._draw.rounded_rectangle(corners, radius * self.detail, fill)

    def disc(self, x: float, y: float, r: float, fill: str) -> None:
        """Draw a filled circle."""
        self.oval(x, y, r, r, fill)

    def oval(self, x: float, y: float, rx: float, ry: float, fill: str) -> None:
        """Draw a filled ellipse, given its centre and its two radii."""
        self._draw.ellipse(self._scaled([(x - rx, y - ry), (x + rx, y + ry)]), fill)

    def line(self, points: list[Point], colour: str, width: float) -> None:
        """Draw a line with round ends and corners."""
        thick = round(width * self.detail)
        self._draw.line(self._scaled(points), colour, thick, joint="curve")
        for x, y in (points[0], points[-1]):
            self.disc(x, y, width / 2, colour)

    def shape(self, points: list[Point], fill: str) -> None:
        """Draw a filled polygon."""
        self._draw.polygon(self._scaled(points), fill)

    def arc(
        self, x: float, y: float, r: float, start: float, end: float, colour: str, width: float
    ) -> None:
        """Draw a part of a circle, clockwise from `start` to `end`.

        Both are in degrees from three o'clock.
        """
        box = self._scaled([(x - r, y - r), (x + r, y + r)])
        self._draw.arc(box, start, end, colour, round(width * self.detail))

    def arrow_head(self, tip: Point, degrees: float, size: float, colour: str) -> None:
        """Draw a triangle whose tip points in a direction, in degrees from three o'clock."""
        turned = [math.radians(degrees + by) for by in (0, 140, 220)]
        centre = on_circle(tip[0], tip[1], -size, degrees)
        self.shape(
            [(centre[0] + size * math.cos(a), centre[1] + size * math.sin(a)) for a in turned],
            colour,
        )

    def words(self, x: float, y: float, text: str, size: float, colour: str) -> None:
        """Write a text centred on a point, in the font that Pillow contains."""
        font = ImageFont.load_default(size * self.detail)
        self._draw.text((x * self.detail, y * self.detail), text, colour, font, anchor="mm")

    def finished(self) -> Image.Image:
        """Return the picture in its final size."""
        return self.image.resize(self.size, Image.Resampling.LANCZOS)


def on_circle(x: float, y: float, r: float, degrees: float) -> Point:
    """Return the point of a circle at an angle, clockwise from three o'clock."""
    return x + r * math.cos(math.radians(degrees)), y + r * math.sin(math.radians(degrees))


def stopcock_where() -> Image.Image:
    """Draw a cross-section of a kitchen: a water pipe, and the stopcock below the sink."""
    sheet = Sheet(1200, 675, "#e7eef2")
    sheet.box(0, 520, 1200, 155, "#a8937d")
    sheet.box(0, 512, 1200, 12, NAVY)
    sheet.box(120, 60, 300, 190, WHITE, 8)
    sheet.box(132, 72, 276, 166, "#bfdcec", 4)
    sheet.box(264, 72, 10, 166, WHITE)
    for x, y, r in ((310, 232, 46), (362, 240, 34), (185, 242, 40)):
        sheet.disc(x, y, r, "#eff7fb")
    sheet.box(100, 238, 340, 60, "#e7eef2")
    sheet.box(108, 238, 324, 16, WHITE, 4)
    for x in (90, 770):
        sheet.box(x, 330, 340, 182, WOOD, 6)
        sheet.box(x + 14, 346, 150, 150, WOOD_DARK, 4)
        sheet.box(x + 176, 346, 150, 150, WOOD_DARK, 4)
        sheet.disc(x + 152, 420, 6, BRASS)
        sheet.disc(x + 188, 420, 6, BRASS)
    sheet.box(430, 330, 340, 182, "#5b4632", 4)
    sheet.shape([(430, 330), (430, 512), (372, 540), (372, 352)], WOOD)
    sheet.shape([(770, 330), (770, 512), (828, 540), (828, 352)], WOOD)
    sheet.box(60, 304, 1080, 28, NAVY, 6)
    sheet.box(470, 316, 260, 64, STEEL, 16)
    sheet.box(484, 304, 232, 16, "#c9d5de", 6)
    sheet.line([(600, 600), (600, 380)], COPPER, 20)
    sheet.line([(660, 304), (660, 190), (640, 168), (600, 168), (580, 188), (580, 214)], STEEL, 20)
    sheet.line([(0, 610), (600, 610)], COPPER, 22)
    sheet.words(150, 645, "from the street", 26, CREAM)
    sheet.box(578, 430, 44, 44, BRASS, 8)
    sheet.line([(622, 452), (650, 452)], BRASS, 12)
    sheet.box(646, 424, 16, 56, RED, 8)
    sheet.arc(612, 452, 84, 0, 360, RED, 8)
    sheet.line([(930, 160), (905, 205), (850, 300), (706, 412)], RED, 8)
    sheet.arrow_head((690, 424), 142, 22, RED)
    sheet.box(760, 70, 380, 92, RED, 18)
    sheet.words(950, 116, "here it is", 46, WHITE)
    return sheet.finished()


def stopcock_turn() -> Image.Image:
    """Draw the handle of a stopcock from the front, with an arrow that points clockwise."""
    sheet = Sheet(1200, 675, CREAM)
    sheet.box(0, 292, 1200, 92, COPPER)
    sheet.box(0, 306, 1200, 16, "#dc9a68")
    for left in (370, 750):
        sheet.box(left, 262, 80, 152, BRASS, 14)
        sheet.box(left + 14, 262, 14, 152, "#eac67c")
    sheet.disc(600, 338, 186, "#b98a37")
    sheet.disc(600, 338, 176, BRASS)
    for spoke in range(4):
        ends = [on_circle(600, 338, 128, spoke * 90 + 45 + half) for half in (0, 180)]
        sheet.line(ends, RED, 54)
    for spoke in range(4):
        x, y = on_circle(600, 338, 128, spoke * 90 + 45)
        sheet.disc(x, y, 40, RED)
        sheet.disc(x, y, 22, "#dd6a54")
    sheet.disc(600, 338, 50, "#a93623")
    sheet.disc(600, 338, 18, BRASS)
    sheet.arc(600, 338, 244, 200, 330, NAVY, 20)
    sheet.arrow_head(on_circle(600, 338, 236, 346), 66, 52, NAVY)
    sheet.words(600, 46, "clockwise is off", 50, NAVY)
    sheet.words(
        600, 624, "a quarter turn back when it is fully open: then it never sticks", 32, NAVY
    )
    return sheet.finished()


def dripping_tap() -> Iterator[Image.Image]:
    """Yield the frames of a dripping tap: a drop swells, falls and spreads within one second."""
    frames = 20
    for frame in range(frames):
        now = frame / frames
        sheet = Sheet(400, 400, "#e3edf2", detail=3)
        for top in range(0, 330, 66):
            for left in range(-66 if top % 132 else 0, 400, 132):
                sheet.box(left + 3, top + 3, 126, 60, "#edf4f7", 4)
        sheet.line([(0, 92), (196, 92), (232, 108), (232, 126)], STEEL, 44)
        sheet.line([(4, 82), (190, 82)], "#b9c8d4", 10)
        sheet.box(116, 46, 40, 34, STEEL, 6)
        sheet.line([(92, 44), (180, 44)], RED, 20)
        sheet.box(206, 140, 52, 18, NAVY, 6)
        sheet.box(0, 330, 400, 70, WATER)
        if now > 0.62:
            for late in (0.0, 0.12):
                spread = max(0.0, now - 0.62 - late) / 0.38
                if spread > 0.3:
                    sheet.oval(232, 344, 90 * spread, 13 * spread, "#8cc4e4")
                    sheet.oval(232, 344, 90 * spread - 5, 13 * spread - 3, WATER)
        if now < 0.4:
            _drop(sheet, 232, 160 + 12 * now / 0.4, 11 * now / 0.4)
        elif now < 0.66:
            _drop(sheet, 232, 172 + 172 * ((now - 0.4) / 0.26) ** 2, 11)
        yield sheet.finished()


def _drop(sheet: Sheet, x: float, y: float, r: float) -> None:
    sheet.disc(x, y, r, WATER)
    sheet.shape(
        [(x - r * 0.94, y - r * 0.35), (x, y - 2.3 * r), (x + r * 0.94, y - r * 0.35)], WATER
    )
    sheet.disc(x - r * 0.3, y - r * 0.1, r * 0.28, "#b5daef")


PRESSURE_SECONDS, PRESSURE_RATE = 4, 24


def pressure_at(second: float) -> float:
    """Return the pressure on the boiler's gauge in bar at a second of the video.

    The pressure is too low for one second, rises for two seconds, and is then constant.
    """
    share = min(max((second - 0.8) / 2.2, 0.0), 1.0)
    return 0.5 + 0.9 * (3 * share**2 - 2 * share**3)


def boiler_pressure(frame: int) -> Image.Image:
    """Draw a frame of the video: a boiler's gauge while water is filled in."""
    bar = pressure_at(frame / PRESSURE_RATE)
    sheet = Sheet(960, 540, "#dfe6ea")
    sheet.box(40, 40, 880, 460, WHITE, 28)
    x, y = 300, 270
    sheet.disc(x, y, 192, NAVY)
    sheet.disc(x, y, 178, CREAM)
    sheet.arc(x, y, 160, _dial(1), _dial(2), "#5c9e63", 22)
    sheet.arc(x, y, 160, _dial(0), _dial(1), "#e2b04a", 22)
    sheet.arc(x, y, 160, _dial(3), _dial(4), RED, 22)
    for tick in range(9):
        inner = 120 if tick % 2 == 0 else 130
        ends = [on_circle(x, y, r, _dial(tick / 2)) for r in (inner, 158)]
        sheet.line(ends, NAVY, 5)
    for number in range(5):
        sheet.words(*on_circle(x, y, 98, _dial(number)), str(number), 28, NAVY)
    sheet.line([on_circle(x, y, -34, _dial(bar)), on_circle(x, y, 138, _dial(bar))], RED, 9)
    sheet.disc(x, y, 18, NAVY)
    sheet.words(x, y + 130, "bar", 28, NAVY)
    sheet.words(704, 210, f"{bar:.1f}", 150, NAVY)
    low = bar < 1
    sheet.box(574, 318, 260, 72, "#e2b04a" if low else "#5c9e63", 36)
    sheet.words(704, 354, "too low" if low else "good", 38, WHITE)
    return sheet.finished()


def _dial(bar: float) -> float:
    return 135 + bar / 4 * 270


def filling_sound(rate: int) -> np.ndarray:
    """Return the sound of the video: running water, and a chime at the end.

    The pitch of the water rises with the pressure.
    """
    t = np.arange(PRESSURE_SECONDS * rate) / rate
    bars = np.array([pressure_at(second) for second in t])
    tone = np.sin(2 * np.pi * np.cumsum(140 + 160 * bars) / rate)
    ripple = np.sin(2 * np.pi * 11 * t) * np.sin(2 * np.pi * 7.3 * t)
    running = np.clip((t - 0.8) * 6, 0, 1) * np.clip((3.0 - t) * 6, 0, 1)
    sound = 0.10 * tone * (0.7 + 0.3 * ripple) * running
    for note, start in ((659.3, 3.1), (987.8, 3.3)):
        since = np.clip(t - start, 0, None)
        sound += 0.16 * np.sin(2 * np.pi * note * since) * np.exp(-5 * since) * (since > 0)
    return sound.astype(np.float32)


def croissant() -> Image.Image:
    """Draw a croissant on a board, seen from above."""
    sheet = Sheet(1080, 1080, "#f0e2cc")
    sheet.box(90, 150, 900, 780, WOOD, 60)
    for y in range(200, 900, 90):
        sheet.line([(130, y), (950, y + 14)], "#cfa87c", 4)
    _crescent(sheet, 540, 690, 300, 200)
    return sheet.finished()


def _crescent(sheet: Sheet, x: float, y: float, r: float, thickness: float) -> None:
    """Draw overlapping rolls along an arc, which are thin at the ends and thick in the middle."""
    rolls = 11
    order = sorted(range(rolls), key=lambda roll: -abs(roll - rolls // 2))
    for roll in order:
        share = roll / (rolls - 1)
        degrees = 176 + 188 * share
        fat = thickness * (0.42 + 0.58 * math.sin(math.pi * share))
        cx, cy = on_circle(x, y, r, degrees)
        for width, height, colour in (
            (0.46, 0.86, CRUST_DARK),
            (0.42, 0.82, CRUST),
            (0.25, 0.66, "#dc9d4a"),
            (0.09, 0.48, "#ecc07a"),
        ):
            _tilted_oval(sheet, cx, cy, fat * width, fat * height, degrees, colour)


def _tilted_oval(
    sheet: Sheet, x: float, y: float, across: float, along: float, degrees: float, fill: str
) -> None:
    turn = math.radians(degrees)
    points = []
    for step in range(72):
        a = math.tau * step / 72
        u, v = along * math.cos(a), across * math.sin(a)
        points.append(
            (
                x + u * math.cos(turn) - v * math.sin(turn),
                y + u * math.sin(turn) + v * math.cos(turn),
            )
        )
    sheet.shape(points, fill)


def croissant_inside() -> Image.Image:
    """Draw a cross-section of a croissant: layers of air cells around the centre."""
    sheet = Sheet(1080, 1080, "#f0e2cc")
    sheet.oval(540, 580, 452, 372, "#dcc8a8")
    sheet.oval(540, 556, 440, 360, CRUST_DARK)
    sheet.oval(540, 556, 424, 344, CRUST)
    sheet.oval(540, 556, 396, 318, CRUMB)
    for ring in range(6):
        rx, ry = 352 - 58 * ring, 278 - 46 * ring
        cells = max(5, round(rx / 15))
        for cell in range(cells):
            # Each ring is turned by the golden angle, so that the cells of two neighbouring rings
            # do not line up.
            degrees = cell * 360 / cells + ring * 137.5
            wobble = 0.5 + 0.5 * math.sin(cell * 2.4 + ring)
            cx = 540 + rx * math.cos(math.radians(degrees))
            cy = 556 + ry * math.sin(math.radians(degrees))
            along = (9 + 7 * wobble) * (1.1 - 0.09 * ring)
            slope = math.degrees(
                math.atan2(
                    ry * math.cos(math.radians(degrees)), -rx * math.sin(math.radians(degrees))
                )
            )
            _tilted_oval(sheet, cx, cy, along, 2.0 * along, slope, "#d9ae6b")
            _tilted_oval(sheet, cx - 2, cy - 3, along * 0.7, 1.6 * along, slope, "#b98444")
    return sheet.finished()


def rising_moon() -> Iterator[Image.Image]:
    """Yield the frames of a night: the moon crosses the sky, and a bakery's windows light up."""
    frames = 24
    stars = [(37 * k % 400, 53 * k * k % 210, 1 + k % 2) for k in range(1, 34)]
    for frame in range(frames):
        now = frame / (frames - 1)
        sheet = Sheet(400, 400, NIGHT)
        for across, down, r in stars:
            bright = (across + frame) % 5
            sheet.disc(across, down, r * 0.8, "#c9cdea" if bright else "#7f86b8")
        x, y = 40 + 320 * now, 190 - 130 * math.sin(math.pi * (0.1 + 0.8 * now))
        sheet.disc(x, y, 36, MOON)
        sheet.disc(x + 15, y - 9, 31, NIGHT)
        sheet.box(0, 350, 400, 50, "#11152c")
        sheet.box(90, 232, 220, 120, "#39406e", 4)
        sheet.shape([(70, 236), (200, 158), (330, 236)], "#4d5590")
        sheet.box(262, 168, 24, 50, "#4d5590")
        lit = now > 0.45
        for window in (112, 236):
            sheet.box(window, 262, 52, 46, MOON if lit else "#232a52", 4)
            sheet.box(window + 24, 262, 4, 46, "#39406e")
        sheet.box(180, 268, 40, 84, "#7a4a25" if lit else "#2b2a44", 4)
        if lit:
            for puff in range(3):
                rise = (now * 3 + puff / 3) % 1
                sheet.disc(
                    274 + 10 * math.sin(6 * rise + puff), 160 - 60 * rise, 6 + 9 * rise, "#5b6190"
                )
        yield sheet.finished()


def write_gif(path: Path, frames: list[Image.Image], milliseconds: int) -> None:
    """Write a GIF that repeats forever; all frames use the colours of the middle frame."""
    palette = frames[len(frames) // 2].quantize(63, dither=Image.Dither.NONE)
    shown = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    shown[0].save(path, save_all=True, append_images=shown[1:], duration=milliseconds, loop=0)


def write_mp4(path: Path, draw: Callable[[int], Image.Image]) -> None:
    """Write an MP4 that X accepts: H.264 in yuv420p with AAC LC.

    The encoder uses one thread, so that every run writes the same file.
    """
    rate = 44_100
    with av.open(str(path), "w", options={"movflags": "+faststart", "fflags": "+bitexact"}) as file:
        video = file.add_stream(
            "libx264", rate=PRESSURE_RATE, options={"crf": "26", "threads": "1"}
        )
        video.width, video.height, video.pix_fmt = 960, 540, "yuv420p"
        audio = file.add_stream("aac", rate=rate, layout="mono")
        audio.bit_rate = 64_000
        for number in range(PRESSURE_SECONDS * PRESSURE_RATE):
            file.mux(video.encode(av.VideoFrame.from_ndarray(np.asarray(draw(number)), "rgb24")))
        file.mux(video.encode(None))
        sound = filling_sound(rate)
        for start in range(0, len(sound), 1024):
            piece = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], "fltp", "mono")
            piece.sample_rate, piece.pts, piece.time_base = rate, start, Fraction(1, rate)
            file.mux(audio.encode(piece))
        file.mux(audio.encode(None))


def main() -> None:
    """Write all files, and print the size of each file."""
    MEDIA.mkdir(parents=True, exist_ok=True)
    for name, picture in (("stopcock-where", stopcock_where()), ("stopcock-turn", stopcock_turn())):
        picture.quantize(96, dither=Image.Dither.NONE).save(MEDIA / f"{name}.png", optimize=True)
    for name, picture in (("croissant", croissant()), ("croissant-inside", croissant_inside())):
        picture.save(MEDIA / f"{name}.jpg", quality=78, optimize=True)
    write_gif(MEDIA / "dripping-tap.gif", list(dripping_tap()), 60)
    write_gif(MEDIA / "moon.gif", list(rising_moon()), 110)
    write_mp4(MEDIA / "boiler-pressure.mp4", boiler_pressure)
    for path in sorted(MEDIA.iterdir()):
        print(f"{path.stat().st_size / 1000:7.1f} kB  {path.name}")


if __name__ == "__main__":
    main()
