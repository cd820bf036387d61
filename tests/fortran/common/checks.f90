! What every Fortran test uses.
module checks
  use h5r, only: h5r_last_error
  implicit none
  private
  public :: check

contains

  ! Ends the test when `condition` does not hold.
  subroutine check(condition, what)
    logical, intent(in) :: condition
    character(*), intent(in) :: what
    if (.not. condition) then
      print '(4a)', 'failed: ', what, '; last error: ', h5r_last_error()
      error stop 1
    end if
  end subroutine
end module
