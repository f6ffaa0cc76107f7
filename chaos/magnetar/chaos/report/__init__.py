"""Draws what a scenario left behind: a page a run, a page for a folder of runs, and both for machines.

Pure functions from a record to text, but for `leaving`, which reads and writes the folders:

    markup, figures     text that is safe on a page; numbers as people read them
    clock, plot         the one time axis that all plots of a run share, and what each has around its marks
    latency, rates, numbers, lanes, strips, shares      what is drawn
    standing            how safety, liveness and recovery stand, each for itself
    heading, facts, biography, tables, page             a run, from the verdict down to each witness
    suite, trend, overview                              the runs of a folder, the worst first, beside the ones before
    summary, junit                                      the same as JSON and as JUnit XML
"""
