"""The facts that checks judge: frozen dataclasses, named by nouns.

They hold `str`, `int`, `bool`, `None`, tuples and each other, and go to JSON and back unaided
(`pydantic.TypeAdapter(Facts)`). Nothing in here touches disk, clock, network or database.

Other folders import every fact from here, so that only this folder knows which of its files has it: the stub
beside this file says which. A file is loaded when the first of its facts is wanted; before the worker starts,
few are.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
