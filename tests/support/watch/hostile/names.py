"""Names that Linux allows but few programs expect."""

from __future__ import annotations

NAMES: tuple[bytes, ...] = (
    b"new\nline.wav", b"cr\rlf\r\n.wav", b"tab\t.wav", b"bell\x07\x1b[31mred\x1b[0m.wav",
    b"\x1b]0;title\x07.wav", b"..wav", b"...wav", b"..\\..\\x.wav", b"a..b.wav", b"%2e%2e%2fx.wav", b"-rf",
    b"--config=x.wav", b"-.wav", b"%s%n%d{}{0}$(id)`id`.wav", b"$HOME.wav", b"~root.wav", b";rm -rf.wav",
    b"|id.wav", b"&.wav", b"*.wav", b"?.wav", b"<b>&amp;<script>.wav", b"[bold red]rich[/].wav",
    b'"quoted".wav', b"'single'.wav", b"a=b c=d.wav", b"# x.wav", b"a" * 251 + b".wav", b"b" * 255,
    "é".encode() * 125 + b".wav", "🎤".encode() * 62 + b".wav", b"\xff" * 251 + b".wav",
    b"\xff\xfe\x80.wav", b"\xc3(.wav", b"\xed\xa0\x80.wav", b"\xf5\x80\x80\x80.wav", b"\x80",
    b"\xc0\xafetc.wav", "\u202egnp.wav".encode(), "a\u200bb\ufeff.wav".encode(),
    "\u2028\u2029\x85.wav".encode(), "🎤🏳️\u200d🌈.wav".encode(), "café.wav".encode(), "café.wav".encode(),
    b"Case.wav", b"case.wav", b"CASE.WAV", "ﬁ İ ß.wav".encode(), b"space .wav", b"dot..wav", b"end.wav ",
    b"end.wav.", b" ", b"  lead.wav", "\xa0.wav".encode(), b"end.wav\xe2\x80\x8b", b"CON.wav", b"NUL",
    b"aux.flac", b"COM1.mp3", b"LPT9 .wav", b"a:b.wav", b"a|b?.wav", b"x.wav:stream", b"PRN..wav",
    b"reason.txt.wav", b"backline.toml.wav", b"x.wav.wav.wav", b"x.toml.wav", b"journal.db", b"result",
    b"move", b"\x7f.wav", b"<5>forged level.wav", b"a\nSTATUS=owned\nREADY=1.wav", b'job=1 "x" \\n.wav',
    b"\\x1b.wav", b"1.wav", b"-2.wav",
)  # fmt: skip
