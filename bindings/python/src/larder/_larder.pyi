# The module that build_support/make_interface.py generates from larder.h.
from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

class _FFI:
    def def_extern(
        self, name: str, error: int = ..., onerror: Callable[..., object] | None = ...
    ) -> Callable[[F], F]: ...
    def __getattr__(self, name: str) -> Any: ...

ffi: _FFI
lib: Any
