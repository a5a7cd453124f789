import pytest, time
from typing import Any
pytestmark = pytest.mark.browser
R = '''import glassnb as gn
from glassnb_widgets import RingInspector
glass = gn.models.load("silica-pristine-3000").repeat((4,4,4))
inspector = RingInspector(glass, cutoff={("Si", "O"): 2.0})
inspector'''
def test_x(open_notebook: Any) -> None:
    nb = open_notebook("dbg", R, height=1300)
    page = nb.page
    from test_rings import Plot
    plot = Plot(page)
    nb.wait_until_drawn()
    page.wait_for_timeout(300)
    nb.screenshot("dbg0")
    import re
    page.get_by_text(re.compile("Selected: ")).first.wait_for()
    page.wait_for_timeout(1000)
    t=[]
    plot.canvas.click(position=plot.bar(12)); page.get_by_text("(size 12)").wait_for()
    page.wait_for_timeout(500)
    nb.screenshot("dbg1")
    for k in range(6):
        s=nb.wait_until_drawn(); t0=time.perf_counter(); plot.canvas.press("ArrowRight"); nb.wait_until_drawn(after=s); t.append(time.perf_counter()-t0)
    print("STEP", t)
    page.mouse.move(*plot.place(0.6, 0.2)); page.mouse.down(); page.mouse.move(*plot.place(0.75, 0.4), steps=4); page.mouse.up()
    page.get_by_text(re.compile("size 12, round")).wait_for()
    page.mouse.move(*plot.place(0.7, 0.31))
    page.wait_for_timeout(500)
    nb.screenshot("dbg2")
    page.get_by_label("Camera").select_option("follows the ring")
    page.evaluate("document.documentElement.style.setProperty('--x','1')")
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    page.wait_for_timeout(1500)
    page.get_by_role("button").filter(has_text="Select all").click()
    page.wait_for_timeout(700)
    nb.screenshot("dbg3")
