"""Whether a change that loses, cuts or duplicates rows, or that rows refuse, is found."""
