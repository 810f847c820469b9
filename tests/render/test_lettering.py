from __future__ import annotations

import numpy as np

from render.lettering import shortened, text_width_px, write_text


def inked(text: str, x_px: int, baseline_px: int, align: str = "left") -> tuple[np.ndarray, np.ndarray]:
    picture = np.zeros((60, 300, 3), dtype=np.uint8)
    write_text(picture, text, x_px, baseline_px, 12, (255, 255, 255), align)
    return np.nonzero(picture[..., 0] > 64)


def test_capitals_stand_on_the_base_line_and_are_as_high_as_asked() -> None:
    rows, columns = inked("HH", 50, 40)
    assert abs(rows.max() - 40) <= 1 and abs(rows.min() - 28) <= 1
    assert 50 <= columns.min() <= 54 and columns.max() <= 50 + text_width_px("HH", 12)


def test_text_can_end_or_be_centred_at_a_place() -> None:
    _, right = inked("HIH", 200, 40, "right")
    _, centre = inked("HIH", 200, 40, "centre")
    assert 194 <= right.max() <= 200
    assert abs((centre.min() + centre.max()) / 2 - 200) <= 1.5


def test_text_over_the_edge_is_cut_off() -> None:
    whole, cut = inked("HHHH", 20, 40), inked("HHHH", -20, 40)
    kept = whole[1] >= 40
    assert sorted(zip(whole[0][kept], whole[1][kept] - 40, strict=True)) == sorted(zip(*cut, strict=True))
    assert inked("H", 500, 40)[0].size == 0 and inked("H", 10, -40)[0].size == 0


def test_long_text_is_shortened_to_the_room_there_is() -> None:
    text = "7fab2350-7eaf-3b7e-a39d-6937a4c1bede"
    assert shortened(text, 12, 1000) == text
    short = shortened(text, 12, 120)
    assert short.endswith("..") and text.startswith(short[:-2]) and text_width_px(short, 12) <= 120
    assert shortened(text, 12, 2) == ""


def test_digits_are_all_equally_wide() -> None:
    assert len({text_width_px(digit * 4, 12) for digit in "0123456789"}) == 1
