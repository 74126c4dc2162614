<#
.SYNOPSIS
Loads, tries and unloads the driver, again and again.

.DESCRIPTION
Each round enables the device, runs the smoke test, and disables the device, after which the driver must be
unloaded. Stops at the first failure. Leaves the device enabled.

Returns 0 after all rounds, and 1 at the first failure.

.PARAMETER Rounds
How often.

.PARAMETER Exnpictl
Where exnpictl.exe is, if it is not beside this script or on the path.

.PARAMETER Calls
How many calls the client makes in each round.

.PARAMETER Package
The folder of the package, which has the INF. Without it, the folder above this script.

.EXAMPLE
.\soak.ps1 -Rounds 1000

.EXAMPLE
.\soak.ps1 -Rounds 10 -Exnpictl C:\exnpi\exnpictl.exe
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param(
    [ValidateRange(1, 1000000)] [int] $Rounds = 100,
    [string] $Exnpictl,
    [ValidateRange(1, 1000000)] [int] $Calls = 1000,
    [string] $Package
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

try {
    Write-Step 'the driver is unloaded first'
    $driver = Get-Package -Folder $Package
    if ([int] (Get-TheDevice -Driver $driver).ConfigManagerErrorCode -ne 22) {
        Assert-DeviceWorks -Driver $driver
        Disable-TheDevice -Driver $driver
    }
    $smoke = @{ Calls = $Calls; Package = $driver.Folder }
    if ($Exnpictl) {
        $smoke['Exnpictl'] = $Exnpictl
    }
    for ($round = 1; $round -le $Rounds; $round++) {
        Write-Step "round $round of $Rounds"
        Enable-TheDevice -Driver $driver
        & "$PSScriptRoot\smoke.ps1" @smoke
        if ($LASTEXITCODE -ne 0) {
            throw "the smoke test failed in round $round"
        }
        Disable-TheDevice -Driver $driver
    }
    Enable-TheDevice -Driver $driver
    Write-Step "$Rounds rounds"
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
