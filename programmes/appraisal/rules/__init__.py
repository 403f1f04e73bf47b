"""The rules of appraisal: the lists of achievements, the points with their weights, and the conditions.

All of it is pure: facts, a dated pack and a day in, findings and points out.
"""
