"""The detectors that run, in the order in which they are shown; a new detector is one line here and one file."""

from andon.detect.builtin.calibration import Calibration
from andon.detect.builtin.category_share import CategoryShare
from andon.detect.builtin.changed_decisions import ChangedDecisions
from andon.detect.builtin.cohort_error import CohortError
from andon.detect.builtin.error_rate import ErrorRate
from andon.detect.builtin.estimated_performance import EstimatedPerformance
from andon.detect.builtin.feature_distribution import FeatureDistribution
from andon.detect.builtin.label_feed import LabelFeed
from andon.detect.builtin.null_share import NullShare
from andon.detect.builtin.prediction_rate import PredictionRate
from andon.detect.builtin.regression_error import RegressionError
from andon.detect.builtin.repeat_share import RepeatShare
from andon.detect.builtin.score_distribution import ScoreDistribution
from andon.detect.builtin.shifted_score import ShiftedScore
from andon.detect.builtin.slice_distribution import SliceDistribution
from andon.detect.builtin.slice_prediction_rate import SlicePredictionRate
from andon.detect.detector import Detector

DETECTORS: tuple[Detector, ...] = (
    NullShare(),
    CategoryShare(),
    FeatureDistribution(),
    SliceDistribution(),
    PredictionRate(),
    SlicePredictionRate(),
    ChangedDecisions(),
    ShiftedScore(),
    ScoreDistribution(),
    ErrorRate(),
    Calibration(),
    EstimatedPerformance(),
    RegressionError(),
    LabelFeed(),
    RepeatShare(),
    CohortError(),
)
