"""Widgets that leave nothing behind: ipywidgets keeps each one until that very one is closed."""

from __future__ import annotations

from typing import Any

import ipywidgets as ipw
from ipywidgets.widgets.widget import _instances
from ipywidgets.widgets.widget_link import Link

__all__ = ["Owner", "held"]


def held(*things: Any) -> list[ipw.Widget]:
    """Return widgets and all that they hold.

    Parameters
    ----------
    *things
        Widgets, or lists and dictionaries of them.

    Returns
    -------
    list of ipywidgets.Widget
        The widgets, those in their traits (children, layout, style) and attributes, and so on; and
        the links of the browser that begin and end at one of them.
    """
    seen: dict[int, Any] = {}
    rest: list[Any] = list(things)
    while rest:
        thing = rest.pop()
        if id(thing) in seen or not isinstance(thing, ipw.Widget | dict | list | tuple):
            continue
        seen[id(thing)] = thing
        if isinstance(thing, ipw.Widget):
            thing = vars(thing)  # the values of the traits are among them
        rest.extend(thing.values() if isinstance(thing, dict) else thing)
    found = [thing for thing in seen.values() if isinstance(thing, ipw.Widget)]
    # A link holds its ends, but nothing holds the link.
    links = [link for link in list(_instances.values()) if isinstance(link, Link)]
    ends = {id(widget) for widget in found}
    return found + [k for k in links if id(k.source[0]) in ends and id(k.target[0]) in ends]


class Owner(ipw.DOMWidget):
    """A widget that closes all that it has made, and ends the work of its ``model`` if it has one.

    What somebody else adds to it later stays open.

    Parameters
    ----------
    *args, **kwargs
        Passed on to the kind of widget that it is.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._own = [widget for widget in held(self) if widget is not self]

    def close(self) -> None:
        """Give up what goes on in the background, and close the view with all that it holds."""
        own = vars(self).get("_own", [])  # absent if the arguments were refused
        model = vars(self).get("model")
        if own and model is not None:
            if hasattr(model, "stop"):
                model.stop()
            model.unobserve_all()
        for widget in held(own):
            widget.close()
        super().close()
