"""Words for the label "unknown": everyday English, chosen to cover its sounds."""

from __future__ import annotations

_TEXT = """
yes no know now nose note nine none gnaw new low go so show row toe blow snow though mow hello hollow
yet yesterday yellow less guess mess press chess desk best west test rest yell yard year young
up down left right on off stop go start begin end open close play pause next back forward backward
follow learn turn move wait hold reset help cancel enter louder quiet light dark red green blue black white
zero one two three four five six seven eight ten eleven twelve hundred
bed bird cat dog house tree happy water window door table chair kitchen garden river mountain
apple bread butter coffee sugar orange lemon chicken dinner bottle paper pencil letter number
mother father sister brother baby people woman man boy girl friend doctor teacher
monday friday morning evening night summer winter today tomorrow always never maybe please thanks sorry
good bad big small hot cold fast slow high long short old early late
run walk talk look listen read write speak sleep eat drink sing wash drive buy sell give take make find
car bus train plane boat road street city school office market music picture video phone radio camera
lift loft laugh leaf lap cup cop cap dawn done don town drown brown right ride rate wrote write fright
top step shop stuff cough of often own own often under over home room lamp arm army
wow why who what where when which how here there this that these those with without from about
and but because then than very much many more most other another every only just
think thing thought bring strong spring voice noise choice join usual measure treasure visual
fish finger shoulder shadow pleasure judge jacket jump chair church kitchen yellow zebra zone busy easy
anna david peter susan victor laura oliver julia robin alice
"""

WORDS: tuple[str, ...] = tuple(dict.fromkeys(_TEXT.split()))
