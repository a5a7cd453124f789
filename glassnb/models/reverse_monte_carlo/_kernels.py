"""Compiled loops of reverse Monte Carlo: one call makes a block of moves on one thread.

Atoms are sorted by species; coordinates are three rows of fractional coordinates, not wrapped. All
distances that count are at most half the smallest height of the cell, and there the image found by
rounding fractional coordinates is the nearest one, in skew cells too: a vector ``d`` has
fractional coordinates ``d . b`` with ``|b| = 1 / height``, so each is below one half.

A move of several atoms is done one atom after the other, and judged at the end: differences of
integer histograms and lists of neighbours add up exactly, however odd the structures between.

The arrays come in named groups; the modules beside this one fill them.
"""

from collections import namedtuple

import numpy as np

from glassnb.core.jit import kernel

SINGLE, SWAP, UNIT = 0, 1, 2
COORDINATION, ANGLE = 0, 1
CAPACITY = 32  # neighbours in a shell
LARGEST_UNIT = 16  # atoms that move together
LOG = 512  # shells that one move may touch
SPARE = 16  # bins for pairs out of range, used in turn: in one alone, additions would wait
FAR = 1e30

Box = namedtuple("Box", "species starts pair_index cell inverse metric minimum2 bin_scale")
Choice = namedtuple("Choice", "movable movable_starts fixed shares sizes unit tried accepted")
Neighbourhood = namedtuple(
    "Neighbourhood",
    "kind centre ends range2 values allowed n_allowed neighbours counts costs stamp",
)
Table = namedtuple("Table", "tables grid since_start")
Curves = namedtuple("Curves", "histogram matrix transposed residual gradient")
# What a move needs for itself: its atoms and places, distances, the change of the histogram and of
# the residual, and what it has to put back when it is rejected.
Trial = namedtuple(
    "Trial",
    "moved moving target source old2 new2 old_bins new_bins change rows factors step "
    "log log_rows log_costs more_allowed",
)


@kernel
def uniform(generator):
    """Return a number in [0, 1) from a 64-bit state (Steele, Lea, Flood, OOPSLA 2014)."""
    generator[0] += np.uint64(0x9E3779B97F4A7C15)
    z = generator[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * 2.0**-53


@kernel
def squared_distances(fractional, a, b, c, metric, out):
    """Write the squared distance of every atom from a point."""
    x, y, z = fractional[0], fractional[1], fractional[2]
    g00, g11, g22 = metric[0, 0], metric[1, 1], metric[2, 2]
    g01, g02, g12 = 2 * metric[0, 1], 2 * metric[0, 2], 2 * metric[1, 2]
    for j in range(x.size):
        d0, d1, d2 = x[j] - a, y[j] - b, z[j] - c
        d0 -= np.rint(d0)
        d1 -= np.rint(d1)
        d2 -= np.rint(d2)
        out[j] = d0 * (g00 * d0 + g01 * d1 + g02 * d2) + d1 * (g11 * d1 + g12 * d2) + g22 * d2 * d2


@kernel
def find_bins(squared, scale, n_bins, bins):
    """Write the bin of each distance; out of range, one of the spare bins."""
    top = float(n_bins)
    for j in range(squared.size):
        k = np.sqrt(squared[j]) * scale
        bins[j] = np.int32(k if k < top else top + (j & 15))


@kernel
def histogram(fractional, box, n_bins):
    """Count unordered pairs by pair of species and distance, with the bins of the moves."""
    n_atoms, starts = fractional.shape[1], box.starts
    counts = np.zeros((box.pair_index.max() + 1, n_bins + SPARE), dtype=np.int64)
    squared, bins = np.empty(n_atoms), np.empty(n_atoms, dtype=np.int32)
    for i in range(n_atoms):
        at = fractional[:, i]
        squared_distances(fractional, at[0], at[1], at[2], box.metric, squared)
        find_bins(squared, box.bin_scale, n_bins, bins)
        for b in range(starts.size - 1):
            row = counts[box.pair_index[box.species[i], b]]
            for j in range(max(starts[b], i + 1), starts[b + 1]):
                row[bins[j]] += 1
    return counts[:, :n_bins].copy()


@kernel
def closest(fractional, box):
    """Return the smallest squared distance of each pair of species, FAR where there is none."""
    n_atoms, starts = fractional.shape[1], box.starts
    found = np.full(box.pair_index.max() + 1, FAR)
    squared = np.empty(n_atoms)
    for i in range(n_atoms):
        at = fractional[:, i]
        squared_distances(fractional, at[0], at[1], at[2], box.metric, squared)
        for b in range(starts.size - 1):
            pair = box.pair_index[box.species[i], b]
            for j in range(max(starts[b], i + 1), starts[b + 1]):
                found[pair] = min(found[pair], squared[j])
    return found


@kernel
def weighted_rows(matrix, rows, factors, n_rows, out):
    """Add ``factors`` times ``rows`` of a matrix to ``out``, four rows at a time."""
    whole = n_rows // 4 * 4
    for t in range(0, whole, 4):
        fa, fb, fc, fd = factors[t], factors[t + 1], factors[t + 2], factors[t + 3]
        a, b, c, d = matrix[rows[t]], matrix[rows[t + 1]], matrix[rows[t + 2]], matrix[rows[t + 3]]
        for k in range(out.size):
            out[k] += fa * a[k] + fb * b[k] + fc * c[k] + fd * d[k]
    for t in range(whole, n_rows):
        fa, a = factors[t], matrix[rows[t]]
        for k in range(out.size):
            out[k] += fa * a[k]


# -- proposals: which atoms go where; the reverse of each is as probable -------------------------


@kernel
def cube(generator, size):
    """Return a vector with components from -size to size."""
    x = (2 * uniform(generator) - 1) * size
    y = (2 * uniform(generator) - 1) * size
    z = (2 * uniform(generator) - 1) * size
    return x, y, z


@kernel
def shift_atom(fractional, box, trial, slot, atom, x, y, z):
    """Propose that an atom moves by a vector in Å."""
    trial.moved[slot] = atom
    for k in range(3):
        step = x * box.inverse[0, k] + y * box.inverse[1, k] + z * box.inverse[2, k]
        trial.target[k, slot] = fractional[k, atom] + step


@kernel
def propose_swap(generator, fractional, box, choice, trial):
    """Propose that two atoms of different species exchange places."""
    first, second = uniform(generator), uniform(generator)
    movable, starts = choice.movable, choice.movable_starts
    i = movable[int(first * movable.size)]
    begin, end = starts[box.species[i]], starts[box.species[i] + 1]
    others = movable.size - (end - begin)
    if others == 0:
        return 0
    k = int(second * others)
    j = movable[k if k < begin else k + end - begin]
    trial.moved[0], trial.moved[1] = i, j
    for axis in range(3):
        trial.target[axis, 0], trial.target[axis, 1] = fractional[axis, j], fractional[axis, i]
    return 2


@kernel
def propose_unit(generator, fractional, box, choice, trial):
    """Propose that a centre and its neighbours move and turn together.

    The turn is about the centre, by a vector from a cube, so that the opposite turn is as probable.
    """
    unit, size, starts = choice.unit, choice.sizes[UNIT], choice.movable_starts
    begin, end = starts[int(unit[0])], starts[int(unit[0]) + 1]
    draw = uniform(generator)
    x, y, z = cube(generator, size)
    a, b, c = cube(generator, size / np.sqrt(unit[2]))
    if end == begin:
        return 0
    centre = choice.movable[begin + int(draw * (end - begin))]
    at = fractional[:, centre]
    squared_distances(fractional, at[0], at[1], at[2], box.metric, trial.new2)
    shift_atom(fractional, box, trial, 0, centre, x, y, z)
    angle = np.sqrt(a * a + b * b + c * c) + 1e-300
    a, b, c = a / angle, b / angle, c / angle
    cosine, sine = np.cos(angle), np.sin(angle)
    count = 1
    for j in range(box.starts[int(unit[1])], box.starts[int(unit[1]) + 1]):
        if trial.new2[j] >= unit[2] or j == centre:
            continue
        if choice.fixed[j] or count == LARGEST_UNIT:
            return 0
        vx, vy, vz = nearest_image(fractional, j, at, box.cell)
        along = (a * vx + b * vy + c * vz) * (1 - cosine)
        wx = vx * cosine + (b * vz - c * vy) * sine + a * along
        wy = vy * cosine + (c * vx - a * vz) * sine + b * along
        wz = vz * cosine + (a * vy - b * vx) * sine + c * along
        shift_atom(fractional, box, trial, count, j, x + wx - vx, y + wy - vy, z + wz - vz)
        count += 1
    return count


@kernel
def nearest_image(fractional, atom, at, cell):
    """Return the vector in Å from a point to the nearest image of an atom."""
    f0, f1, f2 = (
        fractional[0, atom] - at[0],
        fractional[1, atom] - at[1],
        fractional[2, atom] - at[2],
    )
    f0, f1, f2 = f0 - np.rint(f0), f1 - np.rint(f1), f2 - np.rint(f2)
    return (
        f0 * cell[0, 0] + f1 * cell[1, 0] + f2 * cell[2, 0],
        f0 * cell[0, 1] + f1 * cell[1, 1] + f2 * cell[2, 1],
        f0 * cell[0, 2] + f1 * cell[1, 2] + f2 * cell[2, 2],
    )


@kernel
def propose(generator, fractional, box, choice, trial):
    """Choose a kind of move and its atoms; return the kind, and how many atoms (0: impossible)."""
    draw = uniform(generator)
    if draw < choice.shares[SINGLE]:
        atom = choice.movable[int(uniform(generator) * choice.movable.size)]
        x, y, z = cube(generator, choice.sizes[SINGLE])
        shift_atom(fractional, box, trial, 0, atom, x, y, z)
        return SINGLE, 1
    if draw < choice.shares[SINGLE] + choice.shares[SWAP]:
        return SWAP, propose_swap(generator, fractional, box, choice, trial)
    return UNIT, propose_unit(generator, fractional, box, choice, trial)


# -- constraints ---------------------------------------------------------------------------------


@kernel
def too_close(species, place, starts, minimum2, squared, moving):
    """Return whether an atom of a species would be nearer to another than allowed.

    Atoms that will move after this one (``moving`` beyond ``place``) are looked at by themselves.
    """
    for b in range(starts.size - 1):
        limit = minimum2[species, b]
        near = 0
        for j in range(starts[b], starts[b + 1]):
            near += squared[j] < limit
        if near == 0:
            continue
        for j in range(starts[b], starts[b + 1]):
            if squared[j] < limit and moving[j] <= place:
                return True
    return False


@kernel
def unit_grows(unit, box, trial):
    """Return whether an atom outside a unit has come within its reach: no way back then."""
    end = int(unit[1])
    outside = 0
    for j in range(box.starts[end], box.starts[end + 1]):
        outside += trial.new2[j] < unit[2] and trial.moving[j] == 0
    return outside > 0


@kernel
def touch(shell, centre, neighbours, counts, costs, log, log_rows, log_costs):
    """Keep a shell as it was before the move; return false if there is no room."""
    n = log[0, 0] + 1
    if n == LOG:
        return False
    log[0, 0], log[n, 0], log[n, 1], log[n, 2] = n, shell, centre, counts[shell, centre]
    log_rows[n] = neighbours[shell, centre]
    log_costs[n] = costs[shell, centre]
    return True


@kernel
def set_neighbour(end, now, row, counts, centre):
    """Add an atom to a shell or take it out; return false if the shell is full."""
    n = counts[centre]
    if now:
        if n == CAPACITY:
            return False
        row[n] = end
        counts[centre] = n + 1
        return True
    for k in range(n):
        if row[k] == end:
            row[k] = row[n - 1]
            break
    counts[centre] = n - 1
    return True


@kernel
def change_shells(atom, number, species, shells, trial):
    """Bring all shells up to date with the move of one atom; return false if one is too full."""
    old2, new2, range2 = trial.old2, trial.new2, shells.range2
    reach2 = range2[:, 1].max()
    for j in range(old2.size):
        if old2[j] >= reach2 and new2[j] >= reach2:
            continue
        for s in range(shells.kind.size):
            was = range2[s, 0] <= old2[j] < range2[s, 1]
            now = range2[s, 0] <= new2[j] < range2[s, 1]
            if not (was or now) or (was == now and shells.kind[s] == COORDINATION):
                continue
            for side in range(2):
                centre, end = (atom, j) if side == 0 else (j, atom)
                if species[centre] != shells.centre[s] or not shells.ends[s, species[end]]:
                    continue
                if shells.stamp[s, centre] != number:
                    shells.stamp[s, centre] = number
                    if not touch(
                        s, centre, shells.neighbours, shells.counts, shells.costs, trial.log,
                        trial.log_rows, trial.log_costs,
                    ):  # fmt: skip
                        return False
                row = shells.neighbours[s, centre]
                if was != now and not set_neighbour(end, now, row, shells.counts[s], centre):
                    return False
    return True


@kernel
def angle_cost(centre, row, count, values, fractional, species, cell):
    """Return the sum of squared differences of cosines over pairs of neighbours."""
    first, last = int(values[1]), int(values[2])
    vectors, lengths = np.empty((count, 3)), np.empty(count)
    at = fractional[:, centre]
    for k in range(count):
        x, y, z = nearest_image(fractional, row[k], at, cell)
        vectors[k, 0], vectors[k, 1], vectors[k, 2] = x, y, z
        lengths[k] = np.sqrt(x * x + y * y + z * z)
    total = 0.0
    for p in range(count):
        for q in range(p):
            a, b = species[row[p]], species[row[q]]
            if (a == first and b == last) or (a == last and b == first):
                dot = vectors[p, 0] * vectors[q, 0] + vectors[p, 1] * vectors[q, 1]
                dot += vectors[p, 2] * vectors[q, 2]
                total += (dot / (lengths[p] * lengths[q]) - values[3]) ** 2
    return total


@kernel
def all_angle_costs(fractional, box, shells):
    """Write the cost of every centre of every shell of angles."""
    for s in range(shells.kind.size):
        if shells.kind[s] == ANGLE:
            for i in range(box.species.size):
                shells.costs[s, i] = angle_cost(
                    i, shells.neighbours[s, i], shells.counts[s, i], shells.values[s], fractional,
                    box.species, box.cell,
                )  # fmt: skip


@kernel
def shell_change(fractional, box, shells, trial):
    """Return the change of cost of the shells touched, which then hold their new costs."""
    change = 0.0
    trial.more_allowed[:] = 0
    for n in range(1, trial.log[0, 0] + 1):
        s, centre = trial.log[n, 0], trial.log[n, 1]
        if shells.kind[s] == COORDINATION:
            allowed = shells.allowed[s]
            trial.more_allowed[s] += allowed[shells.counts[s, centre]] - allowed[trial.log[n, 2]]
            continue
        shells.costs[s, centre] = angle_cost(
            centre, shells.neighbours[s, centre], shells.counts[s, centre], shells.values[s],
            fractional, box.species, box.cell,
        )  # fmt: skip
        change += shells.values[s, 0] * (shells.costs[s, centre] - trial.log_costs[n])
    for s in range(shells.kind.size):
        if trial.more_allowed[s] != 0:
            before = shells.n_allowed[s] - shells.values[s, 1]
            more = abs(before + trial.more_allowed[s]) - abs(before)
            change += shells.values[s, 0] * more
    return change


@kernel
def restore(shells, trial):
    """Put the shells back as they were before the move."""
    for n in range(1, trial.log[0, 0] + 1):
        s, centre = trial.log[n, 0], trial.log[n, 1]
        shells.neighbours[s, centre] = trial.log_rows[n]
        shells.counts[s, centre] = trial.log[n, 2]
        shells.costs[s, centre] = trial.log_costs[n]


# -- potential energy ----------------------------------------------------------------------------


@kernel
def pair_energy(squared, table, grid):
    """Return the energy at a squared distance: cubic between nodes equally spaced in r²."""
    x = max((squared - grid[0]) / grid[1], 0.0)
    k = int(x)
    if k >= table.shape[0] - 1:
        return 0.0
    t = x - k
    u = 1 - t
    ends = table[k, 0] * u * u * (1 + 2 * t) + table[k + 1, 0] * t * t * (1 + 2 * u)
    return ends + t * u * (table[k, 1] * u - table[k + 1, 1] * t)


@kernel
def energy_outside(atom, box, energy, trial):
    """Return the change of energy of an atom with all atoms that stay."""
    old2, new2, grid = trial.old2, trial.new2, energy.grid
    total = 0.0
    for j in range(old2.size):
        if (old2[j] >= grid[2] and new2[j] >= grid[2]) or trial.moving[j] > 0:
            continue
        table = energy.tables[box.pair_index[box.species[atom], box.species[j]]]
        total += pair_energy(new2[j], table, grid) - pair_energy(old2[j], table, grid)
    return total


@kernel
def separation2(places, i, j, metric):
    """Return the squared distance between two columns of fractional coordinates."""
    d = places[:, i] - places[:, j]
    d -= np.rint(d)
    total = 0.0
    for k in range(3):
        for m in range(3):
            total += metric[k, m] * d[k] * d[m]
    return total


@kernel
def energy_inside(n_moved, box, energy, trial):
    """Return the change of energy among the atoms that move."""
    total = 0.0
    for p in range(n_moved):
        for q in range(p):
            a, b = box.species[trial.moved[p]], box.species[trial.moved[q]]
            table = energy.tables[box.pair_index[a, b]]
            new2 = separation2(trial.target, p, q, box.metric)
            old2 = separation2(trial.source, p, q, box.metric)
            total += pair_energy(new2, table, energy.grid) - pair_energy(old2, table, energy.grid)
    return total


@kernel
def total_energy(fractional, box, energy):
    """Return the energy of all pairs."""
    species = box.species
    squared = np.empty(species.size)
    total = 0.0
    for i in range(species.size):
        at = fractional[:, i]
        squared_distances(fractional, at[0], at[1], at[2], box.metric, squared)
        for j in range(i):
            if squared[j] < energy.grid[2]:
                table = energy.tables[box.pair_index[species[i], species[j]]]
                total += pair_energy(squared[j], table, energy.grid)
    return total


# -- data ----------------------------------------------------------------------------------------


@kernel
def count_changes(atom, n_bins, box, trial):
    """Take the old distances of an atom out of the histogram's change, and put the new ones in."""
    old_bins, new_bins = trial.old_bins, trial.new_bins
    find_bins(trial.old2, box.bin_scale, n_bins, old_bins)
    find_bins(trial.new2, box.bin_scale, n_bins, new_bins)
    for b in range(box.starts.size - 1):
        row = trial.change[box.pair_index[box.species[atom], b]]
        for j in range(box.starts[b], box.starts[b + 1]):
            row[old_bins[j]] -= 1
            row[new_bins[j]] += 1


@kernel
def slope(gradient, change, n_bins):
    """Return the product of gradient and change, in a fixed order."""
    total = 0.0
    whole = n_bins // 4 * 4
    for p in range(change.shape[0]):
        row, g = change[p], gradient[p * n_bins : (p + 1) * n_bins]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        for k in range(0, whole, 4):
            s0 += g[k] * row[k]
            s1 += g[k + 1] * row[k + 1]
            s2 += g[k + 2] * row[k + 2]
            s3 += g[k + 3] * row[k + 3]
        for k in range(whole, n_bins):
            s0 += g[k] * row[k]
        total += (s0 + s1) + (s2 + s3)
    return total


@kernel
def curvature(matrix, n_bins, trial):
    """Write the change of the residual, and return its square."""
    change, rows, factors, step = trial.change, trial.rows, trial.factors, trial.step
    n_rows = 0
    for p in range(change.shape[0]):
        for k in range(n_bins):
            if change[p, k] != 0:
                rows[n_rows] = p * n_bins + k
                factors[n_rows] = change[p, k]
                n_rows += 1
    step[:] = 0.0
    weighted_rows(matrix, rows, factors, n_rows, step)
    total = 0.0
    for k in range(step.size):
        total += step[k] * step[k]
    return total


# -- the chain -----------------------------------------------------------------------------------


@kernel
def new_trial(n_atoms, n_shells, curves):
    """Make the arrays of a move."""
    n_pairs, n_bins = curves.histogram.shape
    n_numbers = n_pairs * n_bins
    return Trial(
        np.empty(LARGEST_UNIT, np.int64), np.zeros(n_atoms, np.int32),
        np.empty((3, LARGEST_UNIT)), np.empty((3, LARGEST_UNIT)),
        np.empty(n_atoms), np.empty(n_atoms), np.empty(n_atoms, np.int32),
        np.empty(n_atoms, np.int32), np.zeros((n_pairs, n_bins + SPARE), np.int32),
        np.empty(n_numbers, np.int64), np.empty(n_numbers), np.zeros(curves.residual.size),
        np.zeros((LOG, 3), np.int64), np.empty((LOG, CAPACITY), np.int32), np.empty(LOG),
        np.zeros(n_shells, np.int64),
    )  # fmt: skip


@kernel
def place(n, kind, number, fractional, box, choice, shells, energy, curves, trial):
    """Move one atom of a trial; return whether that is allowed, and its change of energy.

    If it is not, the atom may stand at either place: see ``source`` in :func:`reject`.
    """
    i = trial.moved[n]
    for k in range(3):
        trial.source[k, n] = fractional[k, i]
    target, source = trial.target, trial.source
    squared_distances(fractional, target[0, n], target[1, n], target[2, n], box.metric, trial.new2)
    trial.new2[i] = FAR
    species = box.species[i]
    if too_close(species, n + 1, box.starts, box.minimum2, trial.new2, trial.moving):
        return False, 0.0
    if kind == UNIT and n == 0 and unit_grows(choice.unit, box, trial):
        return False, 0.0
    squared_distances(fractional, source[0, n], source[1, n], source[2, n], box.metric, trial.old2)
    trial.old2[i] = FAR
    for k in range(3):
        fractional[k, i] = target[k, n]
    if shells.kind.size > 0 and not change_shells(i, number, box.species, shells, trial):
        return False, 0.0
    if curves.residual.size > 0:
        count_changes(i, curves.histogram.shape[1], box, trial)
    if energy.tables.size > 0:
        return True, energy_outside(i, box, energy, trial)
    return True, 0.0


@kernel
def reject(n_placed, fractional, shells, trial):
    """Put atoms and shells back."""
    for n in range(n_placed):
        for k in range(3):
            fractional[k, trial.moved[n]] = trial.source[k, n]
    restore(shells, trial)


@kernel
def accept(shells, curves, trial):
    """Keep what the move has changed."""
    for s in range(shells.kind.size):
        shells.n_allowed[s] += trial.more_allowed[s]
    if curves.residual.size == 0:
        return
    n_bins = curves.histogram.shape[1]
    for p in range(curves.histogram.shape[0]):
        for k in range(n_bins):
            curves.histogram[p, k] += trial.change[p, k]
    for k in range(trial.step.size):
        curves.residual[k] += trial.step[k]
        trial.rows[k] = k
    weighted_rows(curves.transposed, trial.rows, trial.step, trial.step.size, curves.gradient)


@kernel
def run_block(
    n_moves, temperature, early, number, generator, fractional, box, choice, shells, energy, curves
):
    """Make ``n_moves`` Metropolis moves, the first one number ``number``.

    All random numbers of a move are drawn before anything is computed, so the chain does not
    depend on how early a move is found to be rejected. The energy has a temperature of its own: its
    cost is multiplied by that of the run, which the threshold divides by. Returns the change of
    chi-squared.
    """
    trial = new_trial(box.species.size, shells.kind.size, curves)
    n_bins = curves.histogram.shape[1]
    total = 0.0
    for move in range(n_moves):
        kind, n_moved = propose(generator, fractional, box, choice, trial)
        threshold = -2 * temperature * np.log(1 - uniform(generator))
        choice.tried[kind] += 1
        if n_moved == 0:
            continue
        trial.change[:] = 0
        trial.log[0, 0] = 0
        for n in range(n_moved):
            trial.moving[trial.moved[n]] = n + 1
        possible, n_placed, in_energy = True, 0, 0.0
        while possible and n_placed < n_moved:
            possible, part = place(
                n_placed, kind, number + move, fractional, box, choice, shells, energy, curves,
                trial,
            )  # fmt: skip
            in_energy += part
            n_placed += 1
        for n in range(n_moved):
            trial.moving[trial.moved[n]] = 0

        difference = 0.0
        if possible and energy.tables.size > 0:
            in_energy += energy_inside(n_moved, box, energy, trial)
            difference += in_energy * energy.grid[3] * temperature
        if possible and shells.kind.size > 0:
            difference += shell_change(fractional, box, shells, trial)
        if possible and curves.residual.size > 0:
            difference += 2 * slope(curves.gradient, trial.change, n_bins)
            # What is left to add is a square: beyond the threshold there is no way back.
            if not (early and difference > threshold):
                difference += curvature(curves.matrix, n_bins, trial)
        if possible and difference <= threshold:
            accept(shells, curves, trial)
            choice.accepted[kind] += 1
            energy.since_start[0] += in_energy
            total += difference + in_energy * energy.grid[3] * (1 - temperature)
        else:
            reject(n_placed, fractional, shells, trial)
    return total
